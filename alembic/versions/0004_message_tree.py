"""Keep every version of a message: messages form a tree, and a conversation shows one branch of it.

`0004/append_conversation_events.sql` is a copy of the file in `alembic/sql` as of this revision; the file with the suffix
`_0001` is the one of revision 0001.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"

_FILES = Path(__file__).parent / "0004"
_OLD = "append_conversation_events(uuid, uuid, integer, text[], jsonb[])"
_NEW = "append_conversation_events(uuid, uuid, integer, text[], jsonb[], uuid)"

# Until now each message followed the one before it.
_FILL = (
    """
    UPDATE message SET parent_id = linear.parent_id
      FROM (SELECT owner_id, id, coalesce(lag(id) OVER (PARTITION BY owner_id, conversation_id ORDER BY seq), conversation_id)
                AS parent_id FROM message) AS linear
     WHERE message.owner_id = linear.owner_id AND message.id = linear.id
    """,
    """
    UPDATE conversation SET leaf_id = coalesce(
        (SELECT id FROM message WHERE message.owner_id = conversation.owner_id AND message.conversation_id = conversation.id
          ORDER BY seq DESC LIMIT 1), id)
    """,
    # The events that add a message name its parent; an answer that is started again keeps its place.
    """
    UPDATE conversation_event AS event SET data = event.data || jsonb_build_object('parent_id', message.parent_id)
      FROM message
     WHERE event.type IN ('question_asked', 'answer_started') AND message.owner_id = event.owner_id
       AND message.conversation_id = event.conversation_id AND message.seq = event.seq
    """,
)


def upgrade() -> None:
    """Add the columns, make a branch of each conversation, and replace the procedure."""
    op.execute("ALTER TABLE message ADD COLUMN parent_id uuid")
    op.execute("ALTER TABLE message ADD COLUMN is_deleted boolean NOT NULL DEFAULT false")
    op.execute("ALTER TABLE conversation ADD COLUMN leaf_id uuid")
    for statement in _FILL:
        op.execute(statement)
    op.execute("ALTER TABLE message ALTER COLUMN parent_id SET NOT NULL")
    op.execute("ALTER TABLE conversation ALTER COLUMN leaf_id SET NOT NULL")
    # A first message names the conversation as its parent: with that ID, a message would be its own ancestor.
    op.execute("ALTER TABLE message ADD CONSTRAINT ck_message_id CHECK (id <> conversation_id)")
    op.execute("CREATE INDEX ix_message_parent ON message (owner_id, parent_id, seq)")
    _replace_procedure(_OLD, "append_conversation_events.sql", _NEW)


def downgrade() -> None:
    """Restore the procedure, and show all messages in the order in which they were added."""
    _replace_procedure(_NEW, "append_conversation_events_0001.sql", _OLD)
    op.execute("DROP INDEX ix_message_parent")
    op.execute("ALTER TABLE message DROP CONSTRAINT ck_message_id")
    # Copies and edited answers have no event that the revision before knows.
    op.execute(
        "DELETE FROM message USING conversation_event AS event WHERE event.type = 'message_added'"
        " AND event.owner_id = message.owner_id AND event.conversation_id = message.conversation_id"
        " AND event.seq = message.seq"
    )
    op.execute(
        "DELETE FROM conversation_event WHERE type IN"
        " ('message_added', 'branch_chosen', 'message_deleted', 'message_restored')"
    )
    op.execute("UPDATE conversation_event SET data = data - 'parent_id' WHERE data ? 'parent_id'")
    for column in ("parent_id", "is_deleted"):
        op.execute(f"ALTER TABLE message DROP COLUMN {column}")
    op.execute("ALTER TABLE conversation DROP COLUMN leaf_id")


def _replace_procedure(old: str, file: str, new: str) -> None:
    op.execute(f"DROP FUNCTION {old}")
    op.execute((_FILES / file).read_text())
    op.execute(f"REVOKE ALL ON FUNCTION {new} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {new} TO rxchat_app")
