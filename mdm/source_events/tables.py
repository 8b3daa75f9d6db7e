"""Tables of what happened to records inside their sources: the facts, and since when a record is ended by them."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from mdm.db.metadata import metadata

source_event = Table(
    "source_event",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("entity_type", Text),
    Column("instance_id", Text, ForeignKey("source_instance.id"), nullable=False),
    Column("source_key", Text, comment="as printed; none for what happened to a whole instance"),
    Column("other_key", Text, comment="as printed: the survivor of a merge, or the new key"),
    Column("happened_at", TIMESTAMP(timezone=True), comment="by the clock of the source"),
    Column("details", JSONB, nullable=False, comment="a reason; no values of records"),
    Column("recorded_at", TIMESTAMP(timezone=True), nullable=False),
    Column("who", Text, nullable=False),
    Column(
        "event_id",
        Text,
        ForeignKey("identity_event.id", deferrable=True, initially="DEFERRED"),
        comment="the change of identity that carried it out; none while its other record is not known",
    ),
    Column("ended_at", TIMESTAMP(timezone=True)),
    Column("ended_by", Text),
    Column("ended_because", Text, comment="overtaken: its record lived on after it; revoked: somebody took it back"),
    CheckConstraint(
        "kind IN ('merged', 're_keyed', 'instance_migrated', 'deleted', 'access_lost', 'vanished',"
        " 'access_regained', 'instance_retired', 'instance_returned')",
        name="kind",
    ),
    CheckConstraint(
        "(source_key IS NULL) = (kind IN ('instance_retired', 'instance_returned'))", name="whole_instance"
    ),
    CheckConstraint(
        "(other_key IS NOT NULL) = (kind IN ('merged', 're_keyed', 'instance_migrated'))", name="other_key"
    ),
    CheckConstraint("other_key <> source_key", name="two_keys"),
    CheckConstraint("ended_because IN ('overtaken', 'revoked')", name="ended_because"),
    CheckConstraint("(ended_at IS NULL) = (ended_because IS NULL)", name="ended"),
    CheckConstraint("isfinite(happened_at)", name="happened_at_finite"),
    Index("ix_source_event_source_key", "source_key"),
    Index("ix_source_event_other_key", "other_key", postgresql_where=text("other_key IS NOT NULL")),
    Index("ix_source_event_instance_id", "instance_id", "id"),
    Index("ix_source_event_event_id", "event_id", postgresql_where=text("event_id IS NOT NULL")),
)

source_ending = Table(
    "source_ending",
    metadata,
    Column("record_id", Text, ForeignKey("source_record.id"), primary_key=True),
    Column("recorded_from", TIMESTAMP(timezone=True), primary_key=True),
    Column("recorded_to", TIMESTAMP(timezone=True)),
    Column("because", Text, nullable=False),
    Column("successor_id", Text, ForeignKey("source_record.id")),
    Column("who", Text, nullable=False),
    CheckConstraint("because IN ('merged', 're_keyed', 'instance_migrated', 'instance_retired')", name="because"),
    CheckConstraint("recorded_to >= recorded_from", name="interval"),
    Index("ux_source_ending_open", "record_id", unique=True, postgresql_where=text("recorded_to IS NULL")),
)
