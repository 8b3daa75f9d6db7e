"""Which external id each record of a target bears, and a series for the request ids of a lane.

Why: a record that moved to another golden record has to let go of the id of the first one before that is made anew.
"""

from pathlib import Path

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    """Drop both columns; what is in them is found out again from the targets' answers."""
    op.execute("ALTER TABLE delivery_lane DROP COLUMN series")
    op.execute("ALTER TABLE target_record DROP COLUMN external_id")
