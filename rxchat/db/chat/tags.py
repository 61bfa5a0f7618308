"""Queries about a user's tags, and the conversations that have them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import bindparam
from sqlmodel import col

from rxchat.db.platform.notifications import notify
from rxchat.domain.tags import Tag, TagColor
from rxchat.tables import ConversationTag, TagRow

_LIST = text(
    """
    SELECT tag.id, tag.name, tag.color, count(conversation.id) AS count
      FROM tag LEFT JOIN conversation_tag AS tagged ON tagged.owner_id = tag.owner_id AND tagged.tag_id = tag.id
      LEFT JOIN conversation ON conversation.owner_id = tagged.owner_id AND conversation.id = tagged.conversation_id
                            AND conversation.deleted_at IS NULL
     WHERE tag.owner_id = :owner GROUP BY tag.owner_id, tag.id ORDER BY lower(tag.name), tag.id
    """
)
_IDS = bindparam("conversations", type_=ARRAY(Uuid))
_COUNT_OWNED = text(
    "SELECT count(*) FROM conversation WHERE owner_id = :owner AND id = ANY (:conversations) AND deleted_at IS NULL"
).bindparams(_IDS)
_ADD = text(
    """
    INSERT INTO conversation_tag (owner_id, conversation_id, tag_id)
    SELECT owner_id, id, :tag FROM conversation WHERE owner_id = :owner AND id = ANY (:conversations)
    ON CONFLICT DO NOTHING
    """
).bindparams(_IDS)


async def of_user(session: AsyncSession, owner_id: UUID) -> list[Tag]:
    """Return the user's tags by name, each with the number of its conversations."""
    found = await session.execute(_LIST, {"owner": owner_id})
    return [Tag(**{**row, "color": TagColor(row["color"])}) for row in found.mappings()]


async def create(session: AsyncSession, owner_id: UUID, name: str, color: TagColor) -> UUID:
    """Create a tag, and return its ID; that of the one with the same name, if there is one."""
    created = await session.execute(
        insert(TagRow)
        .values(owner_id=owner_id, name=name, color=color)
        .on_conflict_do_nothing()
        .returning(col(TagRow.id))
    )
    tag_id = created.scalar_one_or_none()
    return await _id_of(session, owner_id, name) if tag_id is None else tag_id


async def _id_of(session: AsyncSession, owner_id: UUID, name: str) -> UUID:
    found = await session.execute(
        select(col(TagRow.id)).where(col(TagRow.owner_id) == owner_id, func.lower(TagRow.name) == func.lower(name))
    )
    return found.scalar_one()


async def change(session: AsyncSession, owner_id: UUID, tag_id: UUID, values: dict[str, Any]) -> bool:
    """Change a tag's name or color; False if it is unknown or another user's.

    Raises:
        Conflict: if another tag of the user has this name (mapped at the end of the transaction).
    """
    changed = await session.execute(
        update(TagRow)
        .where(col(TagRow.owner_id) == owner_id, col(TagRow.id) == tag_id)
        .values(values)
        .returning(col(TagRow.id))
    )
    return changed.scalar_one_or_none() is not None


async def remove(session: AsyncSession, owner_id: UUID, tag_id: UUID) -> bool:
    """Delete a tag, also from its conversations; False if it is unknown or another user's."""
    removed = await session.execute(
        delete(TagRow).where(col(TagRow.owner_id) == owner_id, col(TagRow.id) == tag_id).returning(col(TagRow.id))
    )
    return removed.scalar_one_or_none() is not None


async def exists(session: AsyncSession, owner_id: UUID, tag_id: UUID) -> bool:
    """Return whether the user has this tag."""
    found = await session.execute(
        select(col(TagRow.id)).where(col(TagRow.owner_id) == owner_id, col(TagRow.id) == tag_id)
    )
    return found.scalar_one_or_none() is not None


async def count_owned(session: AsyncSession, owner_id: UUID, conversation_ids: Sequence[UUID]) -> int:
    """Return how many of these are conversations of the user that are not deleted."""
    found = await session.execute(_COUNT_OWNED, {"owner": owner_id, "conversations": list(conversation_ids)})
    return found.scalar_one()


async def set_tag(
    session: AsyncSession, owner_id: UUID, conversation_ids: Sequence[UUID], tag_id: UUID, *, is_set: bool
) -> None:
    """Add a tag to all of these conversations of the user, or remove it from them."""
    if is_set:
        await session.execute(_ADD, {"owner": owner_id, "conversations": list(conversation_ids), "tag": tag_id})
        return
    await session.execute(
        delete(ConversationTag).where(
            col(ConversationTag.owner_id) == owner_id,
            col(ConversationTag.tag_id) == tag_id,
            col(ConversationTag.conversation_id).in_(conversation_ids),
        )
    )


async def of_conversations(
    session: AsyncSession, owner_id: UUID, conversation_ids: Sequence[UUID] | None = None
) -> list[tuple[UUID, UUID]]:
    """Return the tags of these conversations of the user, by default of all: pairs of the conversation and the tag."""
    query = select(col(ConversationTag.conversation_id), col(ConversationTag.tag_id)).where(
        col(ConversationTag.owner_id) == owner_id
    )
    if conversation_ids is not None:
        query = query.where(col(ConversationTag.conversation_id).in_(conversation_ids))
    return [(row.conversation_id, row.tag_id) for row in await session.execute(query)]


async def notify_tabs(session: AsyncSession, owner_id: UUID) -> None:
    """Notify the user's tabs when the transaction commits."""
    await notify(session, f"conversation {owner_id}")
