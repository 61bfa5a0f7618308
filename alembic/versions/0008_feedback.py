"""Keep how users rate answers, and let administrators with a new permission read the ratings.

The SQL in `0008` is a copy of the files in `alembic/sql` as of this revision; a file with a suffix is the one of that revision.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0008"
down_revision = "0007"

_FILES = Path(__file__).parent / "0008"
_APPEND = "append_conversation_events(uuid, uuid, integer, text[], jsonb[], uuid)"
_WITHOUT = "without_administrative_permissions(varchar[])"
_NEW = ("list_feedback(text, integer)", "count_feedback()")


def upgrade() -> None:
    """Add the column, the permission and the procedures."""
    op.execute("ALTER TABLE message ADD COLUMN feedback jsonb NOT NULL DEFAULT '{}'")
    op.execute("CREATE INDEX ix_message_feedback ON message ((feedback ->> 'at')) WHERE feedback <> '{}'")
    op.execute("UPDATE role SET permissions = array_append(permissions, 'feedback.read') WHERE name = 'admin'")
    _replace("append_conversation_events", _APPEND)
    _replace("without_administrative_permissions", _WITHOUT, is_new_body=True)
    for procedure in _NEW:
        _run(procedure.partition("(")[0])
        _grant(procedure)


def downgrade() -> None:
    """Remove them, and the ratings with their events."""
    for procedure in _NEW:
        op.execute(f"DROP FUNCTION {procedure}")
    _replace("append_conversation_events_0006", _APPEND)
    _replace("without_administrative_permissions_0001", _WITHOUT, is_new_body=True)
    op.execute("UPDATE role SET permissions = array_remove(permissions, 'feedback.read')")
    op.execute("DELETE FROM conversation_event WHERE type = 'answer_rated'")
    op.execute("DROP INDEX ix_message_feedback")
    op.execute("ALTER TABLE message DROP COLUMN feedback")


def _replace(file: str, procedure: str, *, is_new_body: bool = False) -> None:
    """Create a procedure again; only its body if another one depends on it."""
    if is_new_body:
        op.execute((_FILES / f"{file}.sql").read_text().replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1))
        return
    op.execute(f"DROP FUNCTION {procedure}")
    _run(file)
    _grant(procedure)


def _run(file: str) -> None:
    op.execute((_FILES / f"{file}.sql").read_text())


def _grant(procedure: str) -> None:
    op.execute(f"REVOKE ALL ON FUNCTION {procedure} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {procedure} TO rxchat_app")
