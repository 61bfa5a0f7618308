"""How much one person may keep: files, bytes and collections."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.db.documents import files as rows
from rxchat.domain.errors import InvalidInput
from rxchat.domain.files import FileLimits, format_size

MOST_COLLECTIONS = 1_000
MOST_ATTACHMENTS = 10_000
"""So many messages may have files attached to them; it is only reached by somebody who tries to."""
_TOO_MANY = "You keep {count:,} files, and {most:,} is the most. Delete some that you do not need any more."
_NO_ROOM = "You keep {size}, and {most} is the most. Delete files that you do not need any more."
_COLLECTIONS = "You have {count:,} collections, and that is the most. Delete some that you do not need any more."
_ATTACHMENTS = (
    "You have attached files to {count:,} messages, and that is the most. Put the files into a collection and attach that,"
    " or delete conversations that you do not need any more."
)


async def check_file(session: AsyncSession, owner_id: UUID, size_bytes: int, limits: FileLimits) -> None:
    """Return when there is room for a file of this size; until the transaction ends nobody takes it.

    Raises:
        InvalidInput: when there is none.
    """
    await check_files(session, owner_id, 1, size_bytes, limits)


async def check_files(session: AsyncSession, owner_id: UUID, files: int, size_bytes: int, limits: FileLimits) -> None:
    """Return when there is room for so many more files; until the transaction ends nobody takes it.

    Raises:
        InvalidInput: when there is none.
    """
    count, kept = await rows.usage(session, owner_id)
    if count + files > limits.user_files:
        raise InvalidInput(_TOO_MANY.format(count=count, most=limits.user_files))
    if kept + size_bytes > limits.user_bytes:
        raise InvalidInput(_NO_ROOM.format(size=format_size(kept), most=format_size(limits.user_bytes)))


async def check_collection(session: AsyncSession, owner_id: UUID) -> None:
    """Return when there is room for another collection; until the transaction ends nobody takes it.

    Raises:
        InvalidInput: when there is none.
    """
    if (count := await rows.count_collections(session, owner_id, "library")) >= MOST_COLLECTIONS:
        raise InvalidInput(_COLLECTIONS.format(count=count))


async def check_attachments(session: AsyncSession, owner_id: UUID) -> None:
    """Return when there is room for what is attached to another message; until the transaction ends nobody takes it.

    Raises:
        InvalidInput: when there is none.
    """
    if (count := await rows.count_collections(session, owner_id, "attachments")) >= MOST_ATTACHMENTS:
        raise InvalidInput(_ATTACHMENTS.format(count=count))
