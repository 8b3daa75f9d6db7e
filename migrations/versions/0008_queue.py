"""The queue: what an answer is worth, queues that people keep, and bands that are answered in the background.

Why: the next question should be the one whose answer is worth most, and a thousand alike should take one look.
"""

from pathlib import Path

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    """Refuse: what was recorded in the new tables would be lost; restore a backup instead."""
    raise NotImplementedError("this revision cannot be taken back; restore a backup instead")
