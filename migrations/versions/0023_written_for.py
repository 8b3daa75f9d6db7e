"""As which version of which golden record the hub wrote what stands in a field of a target.

Why: what was written while two golden records were one stayed in the target after their merge was taken back.
"""

from pathlib import Path

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    """Drop the column; what is written for others from then on stays where it is."""
    op.execute("ALTER TABLE target_record DROP COLUMN written_for")
