"""Pin conversations, archive them, and delete them permanently.

The SQL in `0006` is a copy of the files in `alembic/sql` as of this revision; the file with the suffix `_0004` is the one of
revision 0004.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"

_FILES = Path(__file__).parent / "0006"
_APPEND = "append_conversation_events(uuid, uuid, integer, text[], jsonb[], uuid)"
_INDEXES = {"pinned": "owner_id", "archived": "owner_id, archived_at", "deleted": "owner_id, deleted_at"}
_NEW = ("delete_conversations(uuid[])", "purge_conversations(interval)")


def upgrade() -> None:
    """Add the columns and procedures. What renames a conversation or the like leaves its place in the list from now on."""
    op.execute("ALTER TABLE conversation ADD COLUMN pinned_at timestamptz, ADD COLUMN archived_at timestamptz")
    op.execute("GRANT UPDATE (pinned_at, archived_at) ON conversation TO rxchat_app")
    for name, columns in _INDEXES.items():
        op.execute(f"CREATE INDEX ix_conversation_{name} ON conversation ({columns}) WHERE {name}_at IS NOT NULL")
    # Deleting a conversation looks for its runs.
    op.execute("CREATE INDEX ix_run_conversation ON run (owner_id, conversation_id)")
    _replace_append("append_conversation_events.sql")
    for procedure in _NEW:
        op.execute((_FILES / f"{procedure.partition('(')[0]}.sql").read_text())
        _grant(procedure)


def downgrade() -> None:
    """Remove them; archived conversations are in the list again."""
    for procedure in _NEW:
        op.execute(f"DROP FUNCTION {procedure}")
    _replace_append("append_conversation_events_0004.sql")
    op.execute("DELETE FROM conversation_event WHERE type IN ('conversation_pinned', 'conversation_archived')")
    op.execute("DROP INDEX ix_run_conversation")
    for name in _INDEXES:
        op.execute(f"DROP INDEX ix_conversation_{name}")
    op.execute("ALTER TABLE conversation DROP COLUMN pinned_at, DROP COLUMN archived_at")


def _replace_append(file: str) -> None:
    op.execute(f"DROP FUNCTION {_APPEND}")
    op.execute((_FILES / file).read_text())
    _grant(_APPEND)


def _grant(procedure: str) -> None:
    op.execute(f"REVOKE ALL ON FUNCTION {procedure} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {procedure} TO rxchat_app")
