"""Tables of what people decided and what they are asked: append-only facts that end, and reviews derived from them."""

from sqlalchemy import CheckConstraint, Column, Date, Float, ForeignKey, Index, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from mdm.db.metadata import metadata

decision = Table(
    "decision",
    metadata,
    Column("id", Text, primary_key=True),
    Column("entity_type", Text, nullable=False),
    Column("judgement", Text, nullable=False),
    Column("relation", Text),
    Column("left_id", Text, ForeignKey("source_record.id"), nullable=False),
    Column("right_id", Text, ForeignKey("source_record.id"), nullable=False),
    Column("reason", Text, nullable=False),
    Column("valid_from", Date),
    Column("valid_to", Date),
    Column("recorded_at", TIMESTAMP(timezone=True), nullable=False),
    Column("who", Text, nullable=False),
    Column("revoked_at", TIMESTAMP(timezone=True)),
    Column("revoked_by", Text),
    CheckConstraint("judgement IN ('same', 'different', 'unsure', 'related')", name="judgement"),
    CheckConstraint("(judgement = 'related') = (relation IS NOT NULL)", name="relation"),
    CheckConstraint("left_id <> right_id", name="two_records"),
    Index("ix_decision_left", "left_id", postgresql_where=text("revoked_at IS NULL")),
    Index("ix_decision_right", "right_id", postgresql_where=text("revoked_at IS NULL")),
)

value_override = Table(
    "value_override",
    metadata,
    Column("id", Text, primary_key=True),
    Column("record_id", Text, ForeignKey("source_record.id"), nullable=False),
    Column("attribute", Text, nullable=False),
    Column("value", JSONB, nullable=False),
    Column("term", Text, nullable=False),
    Column("until", TIMESTAMP(timezone=True)),
    Column("masked_hash", Text),
    Column("reason", Text, nullable=False),
    Column("recorded_at", TIMESTAMP(timezone=True), nullable=False),
    Column("who", Text, nullable=False),
    Column("ended_at", TIMESTAMP(timezone=True)),
    Column("ended_by", Text),
    CheckConstraint("term IN ('for_ever', 'until_source_changes', 'until')", name="term"),
    Index("ix_value_override_record", "record_id", postgresql_where=text("ended_at IS NULL")),
)

review = Table(
    "review",
    metadata,
    Column("id", Text, primary_key=True),
    Column("entity_type", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column(
        "left_id",
        Text,
        ForeignKey("source_record.id"),
        nullable=False,
        comment="the strongest pair stands for the question",
    ),
    Column("right_id", Text, ForeignKey("source_record.id"), nullable=False),
    Column("bits", Float, nullable=False),
    Column("subject", JSONB, nullable=False, comment="ids only"),
    Column("state", Text, nullable=False),
    Column("recorded_at", TIMESTAMP(timezone=True), nullable=False),
    Column("who", Text, nullable=False),
    Column("closed_at", TIMESTAMP(timezone=True)),
    Column("closed_because", Text),
    CheckConstraint("kind IN ('possible_match', 'join', 'split', 'unsure')", name="kind"),
    CheckConstraint("state IN ('open', 'closed')", name="state"),
    Index("ux_review_open", "left_id", "right_id", "kind", unique=True, postgresql_where=text("state = 'open'")),
    Index("ix_review_open_right", "right_id", postgresql_where=text("state = 'open'")),
    Index("ix_review_queue", "entity_type", "bits", postgresql_where=text("state = 'open'")),
)
