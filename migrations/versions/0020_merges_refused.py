"""Which records of a target it said that it cannot merge, so that it is not asked with every version.

Why: a target that refuses merges let the lane of such a golden record end dead, again and again.
"""

from pathlib import Path

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    """Drop the column; what is in it the targets answer again."""
    op.execute("ALTER TABLE target_record DROP COLUMN unmergeable_into")
