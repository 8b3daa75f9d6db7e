"""Tables that matching keeps between calls: the online index of blocking keys, edges, and the models themselves."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Float, ForeignKey, Index, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from mdm.db.metadata import metadata

match_model = Table(
    "match_model",
    metadata,
    Column("version", Text, primary_key=True),
    Column("entity_type", Text, nullable=False),
    Column("definition", JSONB, nullable=False),
    Column("recorded_at", TIMESTAMP(timezone=True), nullable=False),
    Column("who", Text, nullable=False),
    Column("origin", Text, comment="how it came about; none: as declared"),
    Column("reason", Text),
    Column("made_from", Text, comment="version that it was learnt or edited from"),
    Column("report", JSONB, comment="what training found out about it"),
    CheckConstraint("origin IN ('decisions', 'labels', 'identifiers', 'edited', 'file')", name="origin"),
    Index("ix_match_model_entity_type", "entity_type", "recorded_at"),
)

blocking_key = Table(
    "blocking_key",
    metadata,
    Column("entity_type", Text, primary_key=True),
    Column("key", BigInteger, primary_key=True),
    Column("record_id", Text, ForeignKey("source_record.id"), primary_key=True),
    Index("ix_blocking_key_record_id", "record_id"),
)

edge = Table(
    "edge",
    metadata,
    Column("left_id", Text, ForeignKey("source_record.id"), primary_key=True, comment="left_id < right_id"),
    Column("right_id", Text, ForeignKey("source_record.id"), primary_key=True),
    Column("entity_type", Text, nullable=False),
    Column("bits", Float, nullable=False),
    Column("verdict", SmallInteger, nullable=False, comment="1 possible_match, 2 match"),
    Column("is_vetoed", Boolean, nullable=False),
    Column("model_version", Text, nullable=False),
    Index("ix_edge_right_id", "right_id"),
)
