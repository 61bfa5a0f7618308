"""Keep what hosts of models do for administrators, so that every process shows its progress.

The SQL in `0020` is the table as of this revision.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Create the table, which managers of models may read and write."""
    op.get_bind().connection.cursor().execute((Path(__file__).parent / "0020" / "host_job.sql").read_text())
    op.execute("ALTER TABLE host_job ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE host_job FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY procedures ON host_job TO CURRENT_USER USING (true) WITH CHECK (true)")


def downgrade() -> None:
    """Forget them; hosts continue what they do."""
    op.execute("DROP TABLE host_job")
