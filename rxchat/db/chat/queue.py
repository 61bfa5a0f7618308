"""Queries about messages that wait for their turn in a conversation."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from rxchat.db.platform.results import row_count
from rxchat.domain.conversations import WaitingMessage
from rxchat.tables import QueuedMessage

_OF = text(
    """
    SELECT id, text, model FROM queued_message
     WHERE owner_id = :owner AND conversation_id = :conversation ORDER BY place
    """
)


async def of(session: AsyncSession, owner_id: UUID, conversation_id: UUID) -> list[WaitingMessage]:
    """Return what waits in a conversation, the next one first."""
    found = await session.execute(_OF, {"owner": owner_id, "conversation": conversation_id})
    return [WaitingMessage(row.id, row.text, row.model) for row in found]


async def add(session: AsyncSession, owner_id: UUID, conversation_id: UUID, message: WaitingMessage) -> None:
    """Let a message wait behind all others."""
    session.add(
        QueuedMessage(
            owner_id=owner_id,
            conversation_id=conversation_id,
            id=message.id,
            text=message.text,
            model=message.model,
        )
    )
    await session.flush()


async def change(session: AsyncSession, owner_id: UUID, conversation_id: UUID, message_id: UUID, text: str) -> bool:
    """Give a waiting message another text; False when it does not wait (any more)."""
    changed = await session.execute(
        update(QueuedMessage).where(*_this(owner_id, conversation_id, message_id)).values(text=text)
    )
    return row_count(changed) == 1


async def withdraw(session: AsyncSession, owner_id: UUID, conversation_id: UUID, message_id: UUID) -> str | None:
    """Take a waiting message back and return its text; None when it does not wait (any more)."""
    found = await session.execute(
        delete(QueuedMessage).where(*_this(owner_id, conversation_id, message_id)).returning(col(QueuedMessage.text))
    )
    return found.scalar_one_or_none()


def _this(owner_id: UUID, conversation_id: UUID, message_id: UUID):
    return (
        col(QueuedMessage.owner_id) == owner_id,
        col(QueuedMessage.conversation_id) == conversation_id,
        col(QueuedMessage.id) == message_id,
    )
