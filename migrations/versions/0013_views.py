"""Views for reports.

Why: BI tools read golden records, keys and history by SQL, without knowing our tables.
"""

from pathlib import Path

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    """Refuse: reports read these views; restore a backup instead."""
    raise NotImplementedError("this revision cannot be taken back; restore a backup instead")
