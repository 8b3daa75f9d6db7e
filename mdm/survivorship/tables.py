"""The one table of golden values: a row per golden version, values and lineage as documents."""

from sqlalchemy import CheckConstraint, Column, Float, ForeignKey, Index, Integer, LargeBinary, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from mdm.db.metadata import metadata

golden_version = Table(
    "golden_version",
    metadata,
    Column("golden_id", Text, ForeignKey("golden_record.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("state", Text, nullable=False),
    Column("forward_to", Text),
    Column("values", JSONB, nullable=False),
    Column("lineage", JSONB, nullable=False, comment="attribute: record ids, rule, override"),
    Column("completeness", Float, nullable=False),
    Column("held", JSONB, nullable=False, comment="why publishing is held, empty when it is not"),
    Column("checksum", LargeBinary, nullable=False),
    Column("rules_version", Text, nullable=False),
    Column("event_id", Text, ForeignKey("identity_event.id"), nullable=False),
    Column("recorded_from", TIMESTAMP(timezone=True), nullable=False),
    Column("recorded_to", TIMESTAMP(timezone=True)),
    Column("who", Text, nullable=False),
    CheckConstraint("recorded_to >= recorded_from", name="interval"),
    Index("ux_golden_version_open", "golden_id", unique=True, postgresql_where=text("recorded_to IS NULL")),
)
