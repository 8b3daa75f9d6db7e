"""Tables of frozen rules: versions of the choice of values, and which rules of an entity type hold since when."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from mdm.db.metadata import metadata

survivorship_rules = Table(
    "survivorship_rules",
    metadata,
    Column("version", Text, primary_key=True, comment="hash of entity type and definition"),
    Column("entity_type", Text, nullable=False),
    Column("definition", JSONB, nullable=False, comment="rule by attribute and by group"),
    Column("reason", Text, nullable=False),
    Column("made_from", Text),
    Column("recorded_at", TIMESTAMP(timezone=True), nullable=False),
    Column("who", Text, nullable=False),
    Index("ix_survivorship_rules_entity_type", "entity_type", "recorded_at"),
)

rule_activation = Table(
    "rule_activation",
    metadata,
    Column("id", Text, primary_key=True),
    Column("number", Integer, nullable=False, unique=True, comment="without gaps; the newest of an entity type holds"),
    Column("entity_type", Text, nullable=False),
    Column("model_version", Text, ForeignKey("match_model.version"), comment="none: the model as declared"),
    Column(
        "survivorship_version",
        Text,
        ForeignKey("survivorship_rules.version"),
        comment="none: the choice of values as declared",
    ),
    Column("reason", Text, nullable=False),
    Column("is_forced", Boolean, nullable=False),
    Column("refusals", JSONB, nullable=False, comment="what spoke against it when it was forced"),
    Column("proposed_by", Text, comment="who asked for it, where a second person approved"),
    Column("recorded_at", TIMESTAMP(timezone=True), nullable=False),
    Column("who", Text, nullable=False),
    Index("ix_rule_activation_entity_type", "entity_type", text("number DESC")),
)
