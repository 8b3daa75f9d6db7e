"""The tables of the spine: sources, matching, decisions, identity, golden values, publishing, access.

Why: the first schema. It stands as SQL in the file beside this one, since that is how a database person reads it.
"""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    """Refuse: there is nothing before the first schema; restore a backup instead."""
    raise NotImplementedError("the first revision cannot be taken back; drop the database or restore a backup")
