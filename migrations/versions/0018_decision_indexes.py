"""Indexes of all decisions by either record, in place of those of active ones alone.

Why: where most decisions were taken back, an index of the few active ones was read from end to end for each question.
"""

from pathlib import Path

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    """Keep active decisions alone in both indexes."""
    for side in ("left", "right"):
        op.execute(f"DROP INDEX ix_decision_{side}")
        op.execute(f"CREATE INDEX ix_decision_{side} ON decision ({side}_id) WHERE revoked_at IS NULL")
