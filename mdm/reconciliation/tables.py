"""Table of reconciliation: what a survey or a backfill of a target found."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, Text
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
    CheckConstraint("kind IN ('backfill', 'drift')", name="kind"),
    CheckConstraint("state IN ('reading', 'failed', 'planned', 'applied', 'found', 'repaired')", name="state"),
    Index("ix_target_report_target_id", "target_id", "kind", "recorded_at"),
    comment="what a backfill would do or did, and how a target differs from what it should hold",
)
