"""What happens to records inside their sources: merged, re-keyed, out of sight, a retired instance.

Why: a key that a source gave up still has to resolve.
"""

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    """Refuse: what was recorded in the new columns would be lost; restore a backup instead."""
    raise NotImplementedError("this revision cannot be taken back; restore a backup instead")
