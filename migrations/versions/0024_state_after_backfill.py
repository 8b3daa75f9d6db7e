"""How a target stands once its records are matched.

Why: one that was paused or stopped ran again after the backfill of an entity type that was new to it.
"""

from pathlib import Path

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    """Drop the columns; what waits for its backfill runs after it."""
    op.execute("ALTER TABLE target_standing DROP COLUMN state_after, DROP COLUMN reason_after")
