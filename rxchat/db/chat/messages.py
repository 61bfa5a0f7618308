"""Queries about the messages of a conversation, which form a tree; a conversation shows one branch of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.domain.chat import Role
from rxchat.domain.messages import MessageState, ThreadMessage

_COLUMNS = ", ".join(f"message.{name}" for name in ThreadMessage.__dataclass_fields__ if name != "versions")
_VERSIONS = """
    ARRAY(SELECT version.id FROM message AS version
           WHERE version.owner_id = message.owner_id AND version.conversation_id = message.conversation_id
             AND version.parent_id = message.parent_id AND NOT version.is_deleted
           ORDER BY version.seq) AS versions
"""
_MESSAGE = text(
    f"""
    SELECT {_COLUMNS}, {_VERSIONS} FROM message
     WHERE owner_id = :owner AND conversation_id = :conversation AND id = :message
    """  # noqa: S608 - put together from constants
)
_ALL = text(
    f"SELECT {_COLUMNS} FROM message WHERE owner_id = :owner AND conversation_id = :conversation ORDER BY seq"  # noqa: S608
)
# From its end: a page shows the last messages, and the owner's keys lead from each message to the one before.
_BRANCH = text(
    f"""
    WITH RECURSIVE branch AS (
        SELECT message.id, message.parent_id, 1 AS depth FROM message
         WHERE owner_id = :owner AND conversation_id = :conversation AND id = :leaf AND id <> :after
        UNION ALL
        SELECT message.id, message.parent_id, branch.depth + 1 FROM branch
          JOIN message ON message.owner_id = :owner AND message.conversation_id = :conversation AND message.id = branch.parent_id
         WHERE branch.depth < :limit AND branch.parent_id <> :after
    )
    SELECT {_COLUMNS}, {_VERSIONS} FROM branch JOIN message ON message.owner_id = :owner AND message.id = branch.id
     ORDER BY branch.depth DESC
    """  # noqa: S608 - put together from constants
)
# The newest version at each step, as people go on with what they asked for last.
_LEAF = text(
    """
    WITH RECURSIVE down AS (
        SELECT id, 1 AS depth FROM message
         WHERE owner_id = :owner AND conversation_id = :conversation AND id = :message AND (:deleted_too OR NOT is_deleted)
        UNION ALL
        SELECT next.id, down.depth + 1 FROM down CROSS JOIN LATERAL (
            SELECT id FROM message
             WHERE owner_id = :owner AND conversation_id = :conversation AND parent_id = down.id AND NOT is_deleted
             ORDER BY seq DESC LIMIT 1) AS next
    )
    SELECT id FROM down ORDER BY depth DESC LIMIT 1
    """
)
_ANCESTORS = text(
    """
    WITH RECURSIVE up AS (
        SELECT id, parent_id, is_deleted FROM message
         WHERE owner_id = :owner AND conversation_id = :conversation AND id = :message
        UNION ALL
        SELECT message.id, message.parent_id, message.is_deleted FROM up
          JOIN message ON message.owner_id = :owner AND message.conversation_id = :conversation AND message.id = up.parent_id
    )
    SELECT id, is_deleted FROM up
    """
)


_COUNT = text(
    """
    SELECT count(*) FROM message
     WHERE owner_id = :owner AND conversation_id = :conversation AND parent_id = :parent
    """
)


async def latest_messages(
    session: AsyncSession,
    owner_id: UUID,
    conversation_id: UUID,
    leaf_id: UUID | None,
    *,
    limit: int,
    after: UUID | None = None,
) -> list[ThreadMessage]:
    """Return the last `limit` messages of the branch that ends with `leaf_id`, in order; only those after a message, if one is given."""
    found = await session.execute(
        _BRANCH,
        {
            "owner": owner_id,
            "conversation": conversation_id,
            "leaf": leaf_id,
            "limit": limit,
            "after": after or conversation_id,
        },
    )
    return [_message(row) for row in found.mappings()]


async def all_messages(session: AsyncSession, owner_id: UUID, conversation_id: UUID) -> list[ThreadMessage]:
    """Return the messages of all branches, deleted ones too, in the order in which they were added."""
    found = await session.execute(_ALL, {"owner": owner_id, "conversation": conversation_id})
    return [_message(row) for row in found.mappings()]


async def get_message(
    session: AsyncSession, owner_id: UUID, conversation_id: UUID, message_id: UUID
) -> ThreadMessage | None:
    """Return a message of this conversation, or None if it is unknown."""
    found = await session.execute(_MESSAGE, {"owner": owner_id, "conversation": conversation_id, "message": message_id})
    row = found.mappings().one_or_none()
    return _message(row) if row else None


async def leaf_below(
    session: AsyncSession, owner_id: UUID, conversation_id: UUID, message_id: UUID, *, deleted_too: bool = False
) -> UUID | None:
    """Return the last message of the newest branch that contains a message; None if it is unknown or, by default, deleted."""
    found = await session.execute(
        _LEAF,
        {"owner": owner_id, "conversation": conversation_id, "message": message_id, "deleted_too": deleted_too},
    )
    return found.scalar_one_or_none()


async def path_to(
    session: AsyncSession, owner_id: UUID, conversation_id: UUID, message_id: UUID | None
) -> dict[UUID, bool]:
    """Return the messages from this one up to the first, each with a flag for a deleted one; empty if it is unknown."""
    found = await session.execute(
        _ANCESTORS, {"owner": owner_id, "conversation": conversation_id, "message": message_id}
    )
    return {row.id: row.is_deleted for row in found}


async def count_children(session: AsyncSession, owner_id: UUID, conversation_id: UUID, parent_id: UUID) -> int:
    """Return how many messages follow this one (or begin the conversation, if it is that), deleted ones too."""
    found = await session.execute(_COUNT, {"owner": owner_id, "conversation": conversation_id, "parent": parent_id})
    return found.scalar_one()


def _message(row: Any) -> ThreadMessage:
    return ThreadMessage(**{**row, "role": Role(row["role"]), "state": MessageState(row["state"])})
