"""Find: the terms of one search, and what the state of the hub is counted from.

Why: stewards look for records by whatever they have at hand, and begin their day with what waits.
"""

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    """Refuse: what was recorded in the new columns would be lost; restore a backup instead."""
    raise NotImplementedError("this revision cannot be taken back; restore a backup instead")
