"""What stewards' operations leave behind: root events, the decisions and overrides they made.

Why: merge, unmerge, split and their like are taken back exactly, so each must name all that it did.
"""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    """Refuse: what was recorded in the new columns would be lost; restore a backup instead."""
    raise NotImplementedError("this revision cannot be taken back; restore a backup instead")
