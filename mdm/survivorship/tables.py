"""Golden values, a row per version with values and lineage as documents; and the words by which people find them."""

from sqlalchemy import CheckConstraint, Column, Float, ForeignKey, Index, Integer, LargeBinary, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP, TSVECTOR

from mdm.db.metadata import metadata

golden_search = Table(
    "golden_search",
    metadata,
    Column("golden_id", Text, ForeignKey("golden_record.id"), primary_key=True, comment="active ones only"),
    Column("entity_type", Text, nullable=False),
    Column("words", Text, nullable=False, comment="folded words of all members, their source keys, the golden id"),
    Column(
        "names", ARRAY(Text), comment="as they are compared, for ranking; null until the worker has read the record"
    ),
    Column("terms", TSVECTOR, comment="marked words, words with a letter missing, whole names, numbers, native ids"),
    Index("ix_golden_search_words", "words", postgresql_using="gin", postgresql_ops={"words": "gin_trgm_ops"}),
    Index("ix_golden_search_terms", "terms", postgresql_using="gin"),
    Index("ix_golden_search_unread", "golden_id", postgresql_where=text("terms IS NULL")),
)

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
