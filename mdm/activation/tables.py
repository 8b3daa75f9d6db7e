"""Tables of what is on its way to exist in other systems: ids, keys and states; no values of records."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import TIMESTAMP

from mdm.db.metadata import metadata

reservation = Table(
    "reservation",
    metadata,
    Column("id", Text, primary_key=True),
    Column("entity_type", Text, nullable=False),
    Column("instance_id", Text, ForeignKey("source_instance.id"), nullable=False, comment="where it is to be created"),
    Column(
        "record_id",
        Text,
        ForeignKey("source_record.id"),
        nullable=False,
        comment="the source record of the instance hub that stands for it",
    ),
    Column("reference", Text, comment="the holder's own name for it"),
    Column("state", Text, nullable=False),
    Column("source_key", Text, comment="as printed: the key that it was confirmed with"),
    Column("expires_at", TIMESTAMP(timezone=True), nullable=False),
    Column("recorded_at", TIMESTAMP(timezone=True), nullable=False),
    Column("who", Text, nullable=False, comment="who holds it"),
    Column("ended_at", TIMESTAMP(timezone=True)),
    Column("ended_by", Text),
    UniqueConstraint("record_id"),
    CheckConstraint("state IN ('open', 'confirmed', 'abandoned', 'expired')", name="state"),
    CheckConstraint("length(reference) BETWEEN 1 AND 255", name="reference_length"),
    CheckConstraint("(state = 'confirmed') = (source_key IS NOT NULL)", name="confirmed"),
    CheckConstraint("(state = 'open') = (ended_at IS NULL)", name="ended"),
    CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended_by"),
    Index("ix_reservation_due", "expires_at", postgresql_where=text("state = 'open'")),
    Index("ix_reservation_state", "state", "id"),
    Index(
        "ux_reservation_reference",
        "who",
        "reference",
        "entity_type",
        "instance_id",
        unique=True,
        postgresql_where=text("state = 'open' AND reference IS NOT NULL"),
    ),
)
