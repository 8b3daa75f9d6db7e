"""Why a target as a whole fails, beside how often it did.

Why: a target that cannot even be opened has no lane that could say so.
"""

from pathlib import Path

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    """Drop both columns; what failed fails again, and is counted as before."""
    op.execute("ALTER TABLE target_pulse DROP COLUMN failure_kind, DROP COLUMN failure_reason")
