"""Tables of delivery: how targets stand, what became of each message, what each remote record holds, what is frozen."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from mdm.db.metadata import metadata

_INSTANT = TIMESTAMP(timezone=True)

target_standing = Table(
    "target_standing",
    metadata,
    Column("target_id", Text, ForeignKey("target.id", ondelete="CASCADE"), primary_key=True),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("since", _INSTANT, nullable=False),
    Column("who", Text, nullable=False),
    Column("state_after", Text, comment="once its records are matched; null: it runs then"),
    Column("reason_after", Text, comment="of that state"),
    CheckConstraint("state IN ('backfill', 'running', 'draining', 'paused', 'stopped', 'disabled')", name="state"),
    CheckConstraint("state_after IN ('draining', 'paused', 'stopped', 'disabled')", name="state_after"),
)

target_pulse = Table(
    "target_pulse",
    metadata,
    Column("target_id", Text, ForeignKey("target.id", ondelete="CASCADE"), primary_key=True),
    Column("failures", Integer, nullable=False, comment="calls in a row that the target as a whole did not answer"),
    Column("failing_since", _INSTANT),
    Column("opens_at", _INSTANT, comment="until then the circuit is open: nothing is sent"),
    Column("succeeded_at", _INSTANT),
    Column("tokens", Double, nullable=False, comment="calls that its rate allows at tokens_at"),
    Column("tokens_at", _INSTANT, nullable=False),
    Column(
        "failure_kind", Text, comment="of the last failure, while it fails; unopened: its connector could not be made"
    ),
    Column("failure_reason", Text),
)

delivery_order = Table(
    "delivery_order",
    metadata,
    Column("id", Text, primary_key=True),
    Column("target_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("asked", JSONB, nullable=False),
    Column("lanes", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("recorded_at", _INSTANT, nullable=False),
    Column("who", Text, nullable=False),
    CheckConstraint("kind IN ('replay', 'skip', 'republish')", name="kind"),
    comment="what people ordered: to tell a target again, to leave something out, to mend what it holds",
)

delivery_outcome = Table(
    "delivery_outcome",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("target_id", Text, ForeignKey("target.id", ondelete="CASCADE"), nullable=False),
    Column("golden_id", Text, nullable=False),
    Column("version", Integer, nullable=False, comment="up to which golden version the target is done with"),
    Column("outcome", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("failure_kind", Text),
    Column("reason", Text, nullable=False),
    Column("details", JSONB, nullable=False, comment="native ids and names of fields; never values"),
    Column("queued_at", _INSTANT, nullable=False),
    Column("recorded_at", _INSTANT, nullable=False),
    Column("who", Text, nullable=False),
    CheckConstraint(
        "outcome IN ('delivered', 'no_change', 'not_subscribed', 'undone', 'skipped', 'dead')", name="outcome"
    ),
    Index("ix_delivery_outcome_golden_id", "golden_id", "id"),
    Index("ix_delivery_outcome_target_id", "target_id", "recorded_at", postgresql_include=["queued_at", "outcome"]),
)

target_record = Table(
    "target_record",
    metadata,
    Column("target_id", Text, ForeignKey("target.id", ondelete="CASCADE"), primary_key=True),
    Column("object", Text, primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("native_id", Text, primary_key=True),
    Column("entity_type", Text, nullable=False),
    Column("golden_id", Text, nullable=False, comment="as it was when the record was last written or seen"),
    Column("state", Text, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column(
        "held",
        JSONB,
        nullable=False,
        comment="salted hash of what the record holds, by field of the target, as far as we know",
    ),
    Column(
        "intended",
        JSONB,
        comment="the same of what is being written, so that a change seen meanwhile is known as ours",
    ),
    Column(
        "written",
        JSONB,
        nullable=False,
        comment="by field: hashes of what the hub wrote last, when, and when it put that back",
    ),
    Column("remote_version", Text, nullable=False),
    Column("written_at", _INSTANT),
    Column("seen_at", _INSTANT),
    Column("external_id", Text, comment="that it bears there, as far as we know; null: not known"),
    Column(
        "unmergeable_into",
        Text,
        comment="native id of the record into which the target said that it cannot merge this one; null: it never did",
    ),
    Column(
        "written_for",
        JSONB,
        nullable=False,
        server_default=text("'{}'"),
        comment="by field and hash of what the hub wrote or asked for: golden record and version whose value that was",
    ),
    CheckConstraint("state IN ('active', 'deactivated', 'inactive', 'merged', 'lost')", name="state"),
    Index("ix_target_record_golden_id", "golden_id"),
    Index(
        "ix_target_record_external_id",
        "target_id",
        "external_id",
        postgresql_where=text("external_id IS NOT NULL"),
    ),
)

attribute_freeze = Table(
    "attribute_freeze",
    metadata,
    Column("id", Text, primary_key=True),
    Column("golden_id", Text, ForeignKey("golden_record.id"), nullable=False),
    Column("attribute", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("review_id", Text),
    Column("recorded_at", _INSTANT, nullable=False),
    Column("who", Text, nullable=False),
    Column("ended_at", _INSTANT),
    Column("ended_by", Text),
    Index(
        "ux_attribute_freeze_open",
        "golden_id",
        "attribute",
        unique=True,
        postgresql_where=text("ended_at IS NULL"),
    ),
    comment="values that systems keep replacing for each other: no target is told of them until somebody decides",
)
