"""Queries that compare the projections of conversations with their events, and write them again. For operators' commands."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import bindparam
from sqlmodel import col

from rxchat.db.chat import conversation_sources
from rxchat.domain.conversations import ContextSourceChange, SourceRef
from rxchat.domain.messages import ThreadMessage
from rxchat.tables import Conversation

CONVERSATION_FIELDS = (
    "title",
    "model",
    "system_prompt",
    "parameters",
    "assistant",
    "seq",
    "leaf_id",
    "created_at",
    "pinned_at",
    "archived_at",
    "deleted_at",
)
"""The columns that follow from the events: `updated_at` is the clock's, and `answered_seq` is not set for answers of earlier versions."""
MESSAGE_FIELDS = tuple(name for name in ThreadMessage.__dataclass_fields__ if name not in {"id", "versions"})

_KEY = ("owner_id", "conversation_id", "id")
_COLUMNS = ", ".join((*_KEY, *MESSAGE_FIELDS))
_CHANGES = ", ".join(f"{name} = excluded.{name}" for name in MESSAGE_FIELDS)
_WRITE = text(
    f"""
    INSERT INTO message ({_COLUMNS}) SELECT {_COLUMNS} FROM jsonb_populate_recordset(NULL::message, :messages)
    ON CONFLICT (owner_id, id) DO UPDATE SET {_CHANGES}
    """  # noqa: S608 - put together from constants
).bindparams(bindparam("messages", type_=JSONB))
_REMOVE = text(
    "DELETE FROM message WHERE owner_id = :owner AND conversation_id = :conversation AND id = ANY (:ids)"
).bindparams(bindparam("ids", type_=ARRAY(Uuid())))


async def page(session: AsyncSession, after: tuple[UUID, UUID] | None, limit: int) -> list[tuple[UUID, UUID]]:
    """Return the owners and IDs of conversations of all users after one of them, in the order of these keys."""
    key = tuple_(col(Conversation.owner_id), col(Conversation.id))
    query = select(col(Conversation.owner_id), col(Conversation.id)).order_by(key).limit(limit)
    if after is not None:
        query = query.where(key > tuple_(*after))
    return [(row.owner_id, row.id) for row in await session.execute(query)]


async def owner_of(session: AsyncSession, conversation_id: UUID) -> UUID | None:
    """Return the owner of a conversation, or None if it is unknown."""
    found = await session.execute(select(col(Conversation.owner_id)).where(col(Conversation.id) == conversation_id))
    return found.scalar_one_or_none()


async def write_conversation(
    session: AsyncSession, owner_id: UUID, conversation_id: UUID, facts: dict[str, Any]
) -> None:
    """Replace what is stored about a conversation itself."""
    await session.execute(
        update(Conversation)
        .where(col(Conversation.owner_id) == owner_id, col(Conversation.id) == conversation_id)
        .values(facts)
    )


async def write_messages(
    session: AsyncSession, owner_id: UUID, conversation_id: UUID, messages: list[dict[str, Any]], extra: list[UUID]
) -> None:
    """Insert or replace messages, given as JSON, and delete those that are too many."""
    key = {"owner_id": str(owner_id), "conversation_id": str(conversation_id)}
    await session.execute(_REMOVE, {"owner": owner_id, "conversation": conversation_id, "ids": extra})
    await session.execute(_WRITE, {"messages": [{**key, **message} for message in messages]})


async def write_sources(
    session: AsyncSession, owner_id: UUID, conversation_id: UUID, sources: list[SourceRef], extra: list[UUID]
) -> None:
    """Replace context sources, and delete those that are too many."""
    for found in (*extra, *(source.id for source in sources)):
        await conversation_sources.change(session, owner_id, conversation_id, ContextSourceChange(id=found))
    for source in sources:
        change = ContextSourceChange(id=source.id, kind=source.kind, name=source.name)
        await conversation_sources.change(session, owner_id, conversation_id, change)
