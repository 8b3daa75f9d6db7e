"""Table of reconciliation: what a survey or a backfill of a target found."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from mdm.db.metadata import metadata

target_report = Table(
    "target_report",
    metadata,
    Column("id", Text, primary_key=True),
    Column("target_id", Text, ForeignKey("target.id", ondelete="CASCADE"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("counts", JSONB, nullable=False, comment="by entity type and finding"),
    Column("examples", JSONB, nullable=False, comment="ids, keys and names of fields; never values"),
    Column("declared", Text, nullable=False, comment="digest of the declaration that it was made for"),
    Column("recorded_at", TIMESTAMP(timezone=True), nullable=False),
    Column("who", Text, nullable=False),
    Column("aim", Text, comment="what a job is to come to; null: whoever asked waits for it"),
    Column("progress", JSONB, comment="of a job: entity type, records of it read so far, which type of how many"),
    Column(
        "attempt",
        Integer,
        nullable=False,
        server_default=text("0"),
        comment="how often a worker took the job up; whoever writes must name it",
    ),
    Column("lease_until", TIMESTAMP(timezone=True), comment="another worker may take the job up from then on"),
    Column("reason", Text, nullable=False, server_default="", comment="why it failed, or by whom it was cancelled"),
    CheckConstraint("kind IN ('backfill', 'drift')", name="kind"),
    CheckConstraint(
        "state IN ('ordered', 'reading', 'failed', 'cancelled', 'planned', 'applied', 'found', 'repaired')",
        name="state",
    ),
    CheckConstraint("aim IN ('planned', 'applied')", name="aim"),
    Index("ix_target_report_target_id", "target_id", "kind", "recorded_at"),
    Index(
        "ux_target_report_under_way",
        "target_id",
        unique=True,
        postgresql_where=text("aim IS NOT NULL AND state IN ('ordered', 'reading')"),
    ),
    comment="what a backfill would do or did, and how a target differs from what it should hold",
)
