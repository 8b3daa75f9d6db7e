"""Lanes vacuumed by the minute.

Why: every message changes its lane twice; what waits is counted off an index that fills with dead entries.
"""

from pathlib import Path

from alembic import op

revision = "0016"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    """Give the table the server's own settings back."""
    op.execute(
        "ALTER TABLE delivery_lane RESET (autovacuum_vacuum_threshold, autovacuum_vacuum_scale_factor,"
        " autovacuum_vacuum_cost_delay, autovacuum_analyze_threshold, autovacuum_analyze_scale_factor)"
    )
