"""Changes of several conversations in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import bindparam

from rxchat.db.chat.conversations import times_of
from rxchat.domain.conversation_events import ConversationEvent, event_data
from rxchat.domain.conversations import ConversationChange, changes_of

_APPEND = text("SELECT append_event_to_conversations(:conversations, :type, :data, :times)").bindparams(
    bindparam("conversations", type_=ARRAY(Uuid)), *(bindparam(name, type_=JSONB) for name in ("data", "times"))
)
_ACTIVE = text(
    """
    SELECT DISTINCT conversation_id FROM run
     WHERE owner_id = :owner AND conversation_id = ANY (:conversations) AND state IN ('queued', 'running')
     ORDER BY conversation_id
    """
).bindparams(bindparam("conversations", type_=ARRAY(Uuid)))


async def append_to_all(
    session: AsyncSession, conversation_ids: Sequence[UUID], event: ConversationEvent
) -> list[UUID] | None:
    """Append an event to those of the acting user's conversations that it changes, apply it, and return their IDs.

    Returns None, and changes nothing, if one of them is unknown or another user's. Deleted ones are only restored.
    """
    times: dict[str, bool] = {}
    for change in changes_of(0, event):
        if isinstance(change, ConversationChange):
            times |= times_of(change)
    parameters = {"type": event.type, "data": event_data(event), "times": times}
    appended = await session.execute(_APPEND, {"conversations": list(conversation_ids), **parameters})
    return appended.scalar_one()


async def with_answers(session: AsyncSession, owner_id: UUID, conversation_ids: Sequence[UUID]) -> list[UUID]:
    """Return those of the owner's conversations in which an answer is queued or being written."""
    found = await session.execute(_ACTIVE, {"owner": owner_id, "conversations": list(conversation_ids)})
    return list(found.scalars())
