"""Quotas of a user: files, bytes and collections."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.db.documents import files as rows
from rxchat.domain.documents import CollectionKind
from rxchat.domain.errors import InvalidInput
from rxchat.domain.files import FileLimits, format_size

MOST_COLLECTIONS = 1_000
MOST_ATTACHMENTS = 10_000
"""The maximum number of messages with attached files, which normal use does not reach."""
_TOO_MANY = "You have {count:,} files; the maximum is {most:,}. Delete some that you no longer need."
_NO_ROOM = "You use {size}; the maximum is {most}. Delete files that you no longer need."
_COLLECTIONS = "You have {count:,} collections, which is the maximum. Delete some that you no longer need."
_ATTACHMENTS = "You have attached files to {count:,} messages, which is the maximum. Put the files into a collection and attach that, or delete conversations that you no longer need."


async def check_file(session: AsyncSession, owner_id: UUID, size_bytes: int, limits: FileLimits) -> None:
    """Require space for a file of this size, and lock the quota until the transaction ends.

    Raises:
        InvalidInput: when there is none.
    """
    await check_files(session, owner_id, 1, size_bytes, limits)


async def check_files(session: AsyncSession, owner_id: UUID, files: int, size_bytes: int, limits: FileLimits) -> None:
    """Require space for more files, and lock the quota until the transaction ends.

    Raises:
        InvalidInput: when there is none.
    """
    count, kept = await rows.usage(session, owner_id)
    if count + files > limits.user_files:
        raise InvalidInput(_TOO_MANY.format(count=count, most=limits.user_files))
    if kept + size_bytes > limits.user_bytes:
        raise InvalidInput(_NO_ROOM.format(size=format_size(kept), most=format_size(limits.user_bytes)))


async def check_collection(session: AsyncSession, owner_id: UUID) -> None:
    """Require space for another collection, and lock the quota until the transaction ends.

    Raises:
        InvalidInput: when there is none.
    """
    if (count := await rows.count_collections(session, owner_id, CollectionKind.LIBRARY)) >= MOST_COLLECTIONS:
        raise InvalidInput(_COLLECTIONS.format(count=count))


async def check_attachments(session: AsyncSession, owner_id: UUID) -> None:
    """Require space for the attachments of another message, and lock the quota until the transaction ends.

    Raises:
        InvalidInput: when there is none.
    """
    if (count := await rows.count_collections(session, owner_id, CollectionKind.ATTACHMENTS)) >= MOST_ATTACHMENTS:
        raise InvalidInput(_ATTACHMENTS.format(count=count))
