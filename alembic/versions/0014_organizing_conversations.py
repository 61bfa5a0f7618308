"""Change several conversations at once, remember how far users have read, and keep their tags and projects.

The SQL in `0014` is a copy of the files in `alembic/sql` as of this revision, and the tables; the file with a suffix is the one
of that revision.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0014"
down_revision = "0013"

_FILES = Path(__file__).parent / "0014"
_APPEND = "append_conversation_events(uuid, uuid, integer, text[], jsonb[], uuid)"
_APPEND_TO_ALL = "append_event_to_conversations(uuid[], text, jsonb, jsonb)"
_TABLES = ("conversation_read", "tag", "conversation_tag", "project", "conversation_project")


def upgrade() -> None:
    """Create them. Answers that ended before count as read."""
    op.execute("ALTER TABLE conversation ADD COLUMN answered_seq integer NOT NULL DEFAULT 0")
    _replace_append("append_conversation_events")
    _run("append_event_to_conversations")
    _grant(_APPEND_TO_ALL)
    for name in ("reading", "tags", "projects"):
        _run(name)
    for table in _TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY procedures ON {table} TO CURRENT_USER USING (true) WITH CHECK (true)")


def downgrade() -> None:
    """Delete all tags and projects, and forget what was read."""
    op.execute("DROP TABLE conversation_project, project, conversation_tag, tag, conversation_read")
    op.execute(f"DROP FUNCTION {_APPEND_TO_ALL}")
    _replace_append("append_conversation_events_0008")
    op.execute("ALTER TABLE conversation DROP COLUMN answered_seq")


def _replace_append(file: str) -> None:
    op.execute(f"DROP FUNCTION {_APPEND}")
    _run(file)
    _grant(_APPEND)


def _run(name: str) -> None:
    # By the driver itself: what looks like a parameter in these statements is none.
    op.get_bind().connection.cursor().execute((_FILES / f"{name}.sql").read_text())


def _grant(procedure: str) -> None:
    op.execute(f"REVOKE ALL ON FUNCTION {procedure} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {procedure} TO rxchat_app")
