"""Distinguish a wrong link from one to another user's resource, for the audit log.

`0003/belong_to_others.sql` is a copy of the file in `alembic/sql` as of this revision.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"

_PROCEDURE = Path(__file__).parent / "0003" / "belong_to_others.sql"


def upgrade() -> None:
    """Add the function, and the index that conversations lack for it."""
    op.execute("CREATE INDEX ix_conversation_id ON conversation (id)")
    op.execute(_PROCEDURE.read_text())
    op.execute("REVOKE ALL ON FUNCTION belong_to_others FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION belong_to_others TO rxchat_app")


def downgrade() -> None:
    """Remove both."""
    op.execute("DROP FUNCTION belong_to_others(uuid[])")
    op.execute("DROP INDEX ix_conversation_id")
