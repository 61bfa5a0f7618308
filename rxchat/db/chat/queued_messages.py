"""Queries about queued messages of conversations."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from rxchat.db.platform.results import row_count
from rxchat.domain.messages import QueuedMessage
from rxchat.tables import QueuedMessageRow

_OF = text(
    """
    SELECT id, text, model, attachments, parameters FROM queued_message
     WHERE owner_id = :owner AND conversation_id = :conversation ORDER BY position
    """
)


async def for_conversation(session: AsyncSession, owner_id: UUID, conversation_id: UUID) -> list[QueuedMessage]:
    """Return the queued messages of a conversation, the next one first."""
    found = await session.execute(_OF, {"owner": owner_id, "conversation": conversation_id})
    return [QueuedMessage(row.id, row.text, row.model, row.attachments, row.parameters) for row in found]


async def text_of(session: AsyncSession, owner_id: UUID, conversation_id: UUID, message_id: UUID) -> str | None:
    """Return the text of a queued message; None if it is not queued."""
    found = await session.execute(
        select(col(QueuedMessageRow.text)).where(*_this(owner_id, conversation_id, message_id))
    )
    return found.scalar_one_or_none()


async def add(session: AsyncSession, owner_id: UUID, conversation_id: UUID, message: QueuedMessage) -> None:
    """Append a message to the queue."""
    session.add(
        QueuedMessageRow(
            owner_id=owner_id,
            conversation_id=conversation_id,
            id=message.id,
            text=message.text,
            model=message.model,
            attachments=message.attachments,
            parameters=message.parameters,
        )
    )
    await session.flush()


async def change(session: AsyncSession, owner_id: UUID, conversation_id: UUID, message_id: UUID, text: str) -> bool:
    """Change the text of a queued message; False if it is not queued."""
    changed = await session.execute(
        update(QueuedMessageRow).where(*_this(owner_id, conversation_id, message_id)).values(text=text)
    )
    return row_count(changed) == 1


async def remove(session: AsyncSession, owner_id: UUID, conversation_id: UUID, message_id: UUID) -> str | None:
    """Remove a queued message and return its text; None if it is not queued."""
    found = await session.execute(
        delete(QueuedMessageRow)
        .where(*_this(owner_id, conversation_id, message_id))
        .returning(col(QueuedMessageRow.text))
    )
    return found.scalar_one_or_none()


def _this(owner_id: UUID, conversation_id: UUID, message_id: UUID):
    return (
        col(QueuedMessageRow.owner_id) == owner_id,
        col(QueuedMessageRow.conversation_id) == conversation_id,
        col(QueuedMessageRow.id) == message_id,
    )
