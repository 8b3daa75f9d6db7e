"""Backfills that are ordered: a report waits for a worker, is read under a lease with its progress, can be cancelled.

Why: a backfill was a call that its caller waited for, an HTTP request was held while a whole system was read.
"""

from pathlib import Path

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    """Let what waits or was cancelled count as failed, and drop what only a job has; it is ordered again by hand."""
    op.execute("DROP INDEX ux_target_report_under_way")
    op.execute(
        "UPDATE target_report SET state = 'failed' WHERE state IN ('ordered', 'cancelled')"
        " OR (state = 'reading' AND aim IS NOT NULL)"
    )
    op.execute(
        "ALTER TABLE target_report DROP CONSTRAINT ck_target_report_aim, DROP CONSTRAINT ck_target_report_state,"
        " ADD CONSTRAINT ck_target_report_state CHECK (state IN ('reading', 'failed', 'planned', 'applied', 'found',"
        " 'repaired')), DROP COLUMN aim, DROP COLUMN progress, DROP COLUMN attempt, DROP COLUMN lease_until,"
        " DROP COLUMN reason"
    )
