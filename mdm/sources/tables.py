"""Tables of what the source systems delivered."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from mdm.db.metadata import metadata

source_instance = Table(
    "source_instance",
    metadata,
    Column("id", Text, primary_key=True),
    Column("system", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("duplicate_free", Boolean, nullable=False),
    Column("recorded_at", TIMESTAMP(timezone=True), nullable=False, server_default=text("now()")),
    Column("who", Text, nullable=False),
)

source_record = Table(
    "source_record",
    metadata,
    Column("id", Text, primary_key=True),
    Column("entity_type", Text, nullable=False),
    Column("instance_id", Text, ForeignKey("source_instance.id"), nullable=False),
    Column("object", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("native_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("content_hash", LargeBinary, nullable=False),
    Column("source_time", TIMESTAMP(timezone=True)),
    Column("golden_id", Text, comment="the golden record it belongs to, or belonged to last when deleted"),
    Column("origin_golden_id", Text, comment="the first golden record minted for it; it comes home to this id"),
    Column("context", Text, nullable=False, server_default="", comment="golden id of the parent it is matched within"),
    Column("is_deferred", Boolean, nullable=False, server_default=text("false")),
    Column("recorded_at", TIMESTAMP(timezone=True), nullable=False),
    Column("who", Text, nullable=False),
    UniqueConstraint("instance_id", "object", "scope", "native_id"),
    CheckConstraint("state IN ('active', 'deleted')", name="state"),
    CheckConstraint("isfinite(source_time)", name="source_time_finite"),
    ForeignKeyConstraint(["golden_id", "entity_type"], ["golden_record.id", "golden_record.entity_type"]),
    Index("ix_source_record_golden_id", "golden_id"),
    Index("ix_source_record_reference", "instance_id", "native_id", "entity_type"),
    Index("ix_source_record_deferred", "id", postgresql_where=text("is_deferred")),
)

source_record_version = Table(
    "source_record_version",
    metadata,
    Column("record_id", Text, ForeignKey("source_record.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("state", Text, nullable=False),
    Column("fields", JSONB, nullable=False, comment="as delivered"),
    Column("values", JSONB, nullable=False, comment="by declared attribute"),
    Column("undeclared", JSONB, nullable=False, comment="kept and searchable, not mastered"),
    Column("warnings", JSONB, nullable=False),
    Column("content_hash", LargeBinary, nullable=False),
    Column("source_time", TIMESTAMP(timezone=True)),
    Column("recorded_at", TIMESTAMP(timezone=True), nullable=False),
    Column("who", Text, nullable=False),
)

source_reference = Table(
    "source_reference",
    metadata,
    Column("record_id", Text, ForeignKey("source_record.id"), primary_key=True),
    Column("attribute", Text, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("entity_type", Text, nullable=False, comment="of the record pointed at"),
    Column("instance_id", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("native_id", Text, nullable=False),
    Index("ix_source_reference_target", "instance_id", "native_id", "entity_type"),
)

delivery_exception = Table(
    "delivery_exception",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("entity_type", Text, nullable=False),
    Column("instance_id", Text, nullable=False),
    Column("source_key", Text, nullable=False),
    Column("fields", JSONB, nullable=False),
    Column("source_time", TIMESTAMP(timezone=True)),
    Column("reasons", JSONB, nullable=False),
    Column("fingerprint", BigInteger, nullable=False, comment="the same fault delivered again opens nothing new"),
    Column("state", Text, nullable=False),
    Column("recorded_at", TIMESTAMP(timezone=True), nullable=False, server_default=text("now()")),
    Column("who", Text, nullable=False),
    Column("closed_at", TIMESTAMP(timezone=True)),
    Column("closed_by", Text),
    CheckConstraint("kind IN ('rejected', 'warning')", name="kind"),
    CheckConstraint("state IN ('open', 'replayed', 'dismissed', 'superseded')", name="state"),
    Index(
        "ux_delivery_exception_open",
        "source_key",
        "kind",
        "fingerprint",
        unique=True,
        postgresql_where=text("state = 'open'"),
    ),
    Index("ix_delivery_exception_state", "state", "id"),
)
