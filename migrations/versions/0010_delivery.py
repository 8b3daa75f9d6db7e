"""Lanes with leases, what each target holds, and what is frozen.

Why: a target is told in order, at least once, only what it does not hold already.
"""

from pathlib import Path

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    """Refuse: what targets hold would be forgotten, and told again; restore a backup instead."""
    raise NotImplementedError("this revision cannot be taken back; restore a backup instead")
