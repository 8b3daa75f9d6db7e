"""Tables between the hub and the world: the change feed, targets, and what each target was told."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from mdm.db.metadata import metadata
from mdm.db.types import Xid8

event = Table(
    "event",
    metadata,
    Column("xid", Xid8, primary_key=True, comment="of its transaction, or of the version before where that is later"),
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("entity_type", Text, nullable=False),
    Column("golden_id", Text),
    Column("version", Integer),
    Column("details", JSONB, nullable=False, comment="ids and versions only"),
    Column("recorded_at", TIMESTAMP(timezone=True), nullable=False),
    Column("who", Text, nullable=False),
    Column("review_id", Text),
    CheckConstraint(
        "CASE WHEN kind LIKE 'review.%' THEN review_id IS NOT NULL AND golden_id IS NULL AND version IS NULL"
        " ELSE review_id IS NULL AND golden_id IS NOT NULL AND version IS NOT NULL END",
        name="subject",
    ),
    Index("ix_event_golden_id", "golden_id", "version"),
    Index("ix_event_review_id", "review_id", postgresql_where=text("review_id IS NOT NULL")),
)

target = Table(
    "target",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("configuration", JSONB, nullable=False),
    Column("entity_types", JSONB, nullable=False),
    Column("recorded_at", TIMESTAMP(timezone=True), nullable=False, server_default=text("now()")),
    Column("who", Text, nullable=False),
)

outbox_message = Table(
    "outbox_message",
    metadata,
    Column("target_id", Text, ForeignKey("target.id"), primary_key=True),
    Column("golden_id", Text, ForeignKey("golden_record.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("recorded_at", TIMESTAMP(timezone=True), nullable=False),
    Column("who", Text, nullable=False),
)

delivery_lane = Table(
    "delivery_lane",
    metadata,
    Column("target_id", Text, ForeignKey("target.id"), primary_key=True),
    Column("golden_id", Text, ForeignKey("golden_record.id"), primary_key=True),
    Column("head", Integer, nullable=False, comment="the newest version to tell"),
    Column(
        "acknowledged", Integer, nullable=False, server_default=text("0"), comment="the newest version the target has"
    ),
    Column("recorded_at", TIMESTAMP(timezone=True), nullable=False),
    Column("who", Text, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'ready'")),
    Column(
        "due_at",
        TIMESTAMP(timezone=True),
        nullable=False,
        server_default=text("now()"),
        comment="when it is told next; of a leased one when its lease ends",
    ),
    Column(
        "not_before",
        TIMESTAMP(timezone=True),
        comment="news of merges and splits wait until then for an undo",
    ),
    Column("lease_token", Text, comment="whoever settles must name it"),
    Column("attempts", Integer, nullable=False, server_default=text("0"), comment="failed ones in a row"),
    Column("failure_kind", Text),
    Column("failure_reason", Text),
    Column("failing_since", TIMESTAMP(timezone=True)),
    Column("waits_for", Text, comment="the golden record that the target has to know first"),
    Column(
        "is_forced",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="told again though the target holds it already",
    ),
    Column(
        "series",
        Integer,
        nullable=False,
        server_default=text("0"),
        comment="raised when an answer was about the record of another one: ids of requests are new ones then",
    ),
    CheckConstraint("acknowledged <= head", name="acknowledged"),
    CheckConstraint("state IN ('ready', 'waiting', 'dead')", name="state"),
    Index("ix_delivery_lane_waiting", "target_id", "golden_id", postgresql_where=text("acknowledged < head")),
    Index(
        "ix_delivery_lane_due",
        "target_id",
        "due_at",
        postgresql_include=["state", "recorded_at", "not_before", "failure_kind"],
        postgresql_where=text("acknowledged < head AND state <> 'dead'"),
    ),
    Index("ix_delivery_lane_dead", "target_id", "golden_id", postgresql_where=text("state = 'dead'")),
    Index("ix_delivery_lane_waits_for", "target_id", "waits_for", postgresql_where=text("waits_for IS NOT NULL")),
)
