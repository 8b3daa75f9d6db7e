"""Reservations, and deals on their way to be billed.

Why: whoever creates a client asks the hub first, and a sold deal is followed until it can be billed.
"""

from pathlib import Path

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    """Refuse: reservations would be forgotten, and clients created twice; restore a backup instead."""
    raise NotImplementedError("this revision cannot be taken back; restore a backup instead")
