"""Updates of a conversation in one query, which all of its tabs run at the start and end of each answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from rxchat.db.platform.single_reads import Read
from rxchat.domain.conversation_events import ConversationEvent, event_from
from rxchat.domain.messages import QueuedMessage
from rxchat.domain.runs import ActiveRun

# One statement sees one state of the database, so its results are consistent.
_NEWS = text(
    """
    SELECT (SELECT jsonb_agg(jsonb_build_array(event.seq, event.type, event.data) ORDER BY event.seq)
              FROM conversation_event AS event
             WHERE event.owner_id = :owner AND event.conversation_id = :conversation AND event.seq > :after_seq) AS events,
           (SELECT jsonb_build_object('owner_id', owner_id, 'id', id, 'conversation_id', conversation_id,
                                      'message_id', message_id, 'model', model, 'created_at', created_at,
                                      'is_waiting', NOT is_leased(state, lease_until))
              FROM run WHERE run.owner_id = :owner AND run.conversation_id = :conversation
                         AND run.state IN ('queued', 'running')) AS run,
           (SELECT jsonb_agg(jsonb_build_array(id, text, model, attachments, parameters) ORDER BY position)
              FROM queued_message AS queued
             WHERE queued.owner_id = :owner AND queued.conversation_id = :conversation) AS waiting
      FROM conversation WHERE owner_id = :owner AND id = :conversation AND deleted_at IS NULL
    """
)


@dataclass(frozen=True, slots=True)
class Updates:
    """New events of a conversation, its active run, and its queued messages."""

    events: list[tuple[int, ConversationEvent]]
    run: ActiveRun | None
    waiting: tuple[QueuedMessage, ...]


async def after(read: Read, owner_id: UUID, conversation_id: UUID, after_seq: int) -> Updates | None:
    """Return the updates after a seq; None if the conversation is unknown, deleted, or not this owner's."""
    found = await read(_NEWS, {"owner": owner_id, "conversation": conversation_id, "after_seq": after_seq})
    if not found:
        return None
    [row] = found
    return Updates(
        events=[(seq, event_from(kind, data)) for seq, kind, data in row.events or ()],
        run=_run(row.run) if row.run else None,
        waiting=tuple(QueuedMessage(UUID(name), *rest) for name, *rest in row.waiting or ()),
    )


def _run(given: dict[str, Any]) -> ActiveRun:
    return ActiveRun(
        owner_id=UUID(given["owner_id"]),
        id=UUID(given["id"]),
        conversation_id=UUID(given["conversation_id"]),
        message_id=UUID(given["message_id"]),
        model=given["model"],
        created_at=datetime.fromisoformat(given["created_at"]),
        is_waiting=given["is_waiting"],
    )
