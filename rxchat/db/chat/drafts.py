"""Queries about drafts: what users have typed and not sent."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from rxchat.tables import MessageDraft

_SAVE = text(
    """
    INSERT INTO message_draft (owner_id, conversation_id, text) VALUES (:owner, :conversation, :text)
    ON CONFLICT (owner_id, conversation_id) DO UPDATE SET text = excluded.text, saved_at = now()
        WHERE CAST(:base AS varchar) IS NULL OR message_draft.text = :base OR strpos(excluded.text, message_draft.text) > 0
    RETURNING TRUE
    """
)
_DELETE = text(
    """
    DELETE FROM message_draft
    WHERE owner_id = :owner AND conversation_id = :conversation AND (CAST(:base AS varchar) IS NULL OR text = :base)
    """
)


async def get(session: AsyncSession, owner_id: UUID, conversation_id: UUID) -> str:
    """Return the draft in a conversation of the user; "" if there is none."""
    found = await session.execute(
        select(col(MessageDraft.text)).where(
            col(MessageDraft.owner_id) == owner_id, col(MessageDraft.conversation_id) == conversation_id
        )
    )
    return found.scalar_one_or_none() or ""


async def save(
    session: AsyncSession, owner_id: UUID, conversation_id: UUID, draft: str, base: str | None
) -> str | None:
    """Store the draft in a conversation of the user; a blank one is deleted.

    Returns:
        None if it was stored; else the stored draft, which is neither `base` nor a part of this one.
    """
    values = {"owner": owner_id, "conversation": conversation_id, "base": base}
    if draft.strip():
        stored = await session.execute(_SAVE, {**values, "text": draft})
        return None if stored.scalar_one_or_none() else await get(session, owner_id, conversation_id)
    await session.execute(_DELETE, values)
    return await get(session, owner_id, conversation_id) or None


async def of_user(session: AsyncSession, owner_id: UUID) -> list[tuple[UUID, str, datetime]]:
    """Return the user's drafts: each with its conversation, and when it was saved."""
    found = await session.execute(
        select(col(MessageDraft.conversation_id), col(MessageDraft.text), col(MessageDraft.saved_at)).where(
            col(MessageDraft.owner_id) == owner_id
        )
    )
    return [(row.conversation_id, row.text, row.saved_at) for row in found]
