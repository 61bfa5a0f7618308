"""Keep what users have typed and not sent, for their other devices.

The SQL in `0015` is the table.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0015"
down_revision = "0014"

_FILES = Path(__file__).parent / "0015"


def upgrade() -> None:
    """Create the table."""
    # By the driver itself: what looks like a parameter in these statements is none.
    op.get_bind().connection.cursor().execute((_FILES / "drafts.sql").read_text())
    op.execute("ALTER TABLE message_draft ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE message_draft FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY procedures ON message_draft TO CURRENT_USER USING (true) WITH CHECK (true)")


def downgrade() -> None:
    """Delete all drafts."""
    op.execute("DROP TABLE message_draft")
