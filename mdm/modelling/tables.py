"""Tables of changes of rules: what waits for a second person, and the work of bringing records to new rules."""

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from mdm.db.metadata import metadata

rule_proposal = Table(
    "rule_proposal",
    metadata,
    Column("id", Text, primary_key=True),
    Column("entity_type", Text, nullable=False),
    Column("model_version", Text),
    Column("survivorship_version", Text),
    Column("reason", Text, nullable=False),
    Column("is_forced", Boolean, nullable=False),
    Column("refusals", JSONB, nullable=False),
    Column("state", Text, nullable=False),
    Column("recorded_at", TIMESTAMP(timezone=True), nullable=False),
    Column("who", Text, nullable=False),
    Column("settled_at", TIMESTAMP(timezone=True)),
    Column("settled_by", Text),
    CheckConstraint("state IN ('waiting', 'approved', 'rejected', 'withdrawn')", name="state"),
    CheckConstraint("(state = 'waiting') = (settled_at IS NULL)", name="settled"),
    Index("ux_rule_proposal_waiting", "entity_type", unique=True, postgresql_where=text("state = 'waiting'")),
)

rematch = Table(
    "rematch",
    metadata,
    Column("id", Text, primary_key=True),
    Column("entity_type", Text, nullable=False),
    Column("activation", Integer, ForeignKey("rule_activation.number"), nullable=False),
    Column("state", Text, nullable=False),
    Column("position", Text, nullable=False, comment="id of the last record that is done with"),
    Column("total", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("found", JSONB, nullable=False, comment="what it changed so far, by what"),
    Column("recorded_at", TIMESTAMP(timezone=True), nullable=False),
    Column("who", Text, nullable=False),
    Column("ended_at", TIMESTAMP(timezone=True)),
    Column("ended_by", Text),
    CheckConstraint("state IN ('running', 'paused', 'done', 'superseded')", name="state"),
    Index("ux_rematch_open", "entity_type", unique=True, postgresql_where=text("state IN ('running', 'paused')")),
)
