"""How much each caller may ask, and how much is left.

Why: all processes share one bucket for each caller and rate, and a key may have rates of its own.
"""

from pathlib import Path

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    """Refuse: bounds that were set would be lost; restore a backup instead."""
    raise NotImplementedError("this revision cannot be taken back; restore a backup instead")
