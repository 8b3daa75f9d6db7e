"""Frozen rules, and which of them hold.

Why: a match model or a choice of values is changed by a new version with its reason, activated, and taken back.
"""

from pathlib import Path

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    """Refuse: records were matched by rules that it names; restore a backup instead."""
    raise NotImplementedError("this revision cannot be taken back; restore a backup instead")
