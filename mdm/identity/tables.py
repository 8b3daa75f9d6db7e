"""Tables of identity: golden records, who belongs to them and when, and the plans that changed it."""

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from mdm.db.metadata import metadata

golden_record = Table(
    "golden_record",
    metadata,
    Column("id", Text, primary_key=True),
    Column("entity_type", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("forward_to", Text, ForeignKey("golden_record.id")),
    Column("version", Integer, nullable=False),
    Column("is_confirmed", Boolean, nullable=False, server_default=text("false"), comment="by a steward"),
    Column(
        "is_acknowledged",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="a target acknowledged a delivery of it",
    ),
    Column("next_change_at", TIMESTAMP(timezone=True), comment="when values change although nothing arrives"),
    Column("recorded_at", TIMESTAMP(timezone=True), nullable=False),
    Column("who", Text, nullable=False),
    UniqueConstraint("id", "entity_type"),
    CheckConstraint("state IN ('active', 'forwarded', 'retired')", name="state"),
    CheckConstraint("(state = 'forwarded') = (forward_to IS NOT NULL)", name="forward_to"),
    Index("ix_golden_record_forward_to", "forward_to"),
    Index("ix_golden_record_entity_type", "entity_type", "state", "id"),
    Index("ix_golden_record_id_beginning", "id", postgresql_ops={"id": "text_pattern_ops"}),
    Index("ix_golden_record_next_change_at", "next_change_at", postgresql_where=text("next_change_at IS NOT NULL")),
)

identity_event = Table(
    "identity_event",
    metadata,
    Column("id", Text, primary_key=True),
    Column("entity_type", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("plan", JSONB, nullable=False, comment="ids only, with the state before and after"),
    Column("recorded_at", TIMESTAMP(timezone=True), nullable=False),
    Column("who", Text, nullable=False),
    Column("kind", Text, nullable=False, server_default="ingest"),
    Column(
        "root_id",
        Text,
        ForeignKey("identity_event.id"),
        comment="the event that this one followed from; none for one that stands for itself",
    ),
    Column("undoes_id", Text, ForeignKey("identity_event.id"), comment="the event that this one took back"),
    Index("ix_identity_event_root_id", "root_id", postgresql_where=text("root_id IS NOT NULL")),
    Index("ix_identity_event_undoes_id", "undoes_id", postgresql_where=text("undoes_id IS NOT NULL")),
)

membership = Table(
    "membership",
    metadata,
    Column("record_id", Text, ForeignKey("source_record.id"), primary_key=True),
    Column("recorded_from", TIMESTAMP(timezone=True), primary_key=True),
    Column("recorded_to", TIMESTAMP(timezone=True)),
    Column("golden_id", Text, ForeignKey("golden_record.id"), nullable=False),
    Column("published_at", TIMESTAMP(timezone=True), comment="a target first acknowledged this key under this id"),
    Column("event_id", Text, ForeignKey("identity_event.id"), nullable=False),
    Column("who", Text, nullable=False),
    Index("ix_membership_golden_id", "golden_id"),
    Index("ux_membership_open", "record_id", unique=True, postgresql_where=text("recorded_to IS NULL")),
    CheckConstraint("recorded_to >= recorded_from", name="interval"),
)
