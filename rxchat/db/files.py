"""Queries about stored files and the pieces that they are kept in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ARRAY, Text, bindparam, delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.domain.files import Part, SealedFile, Upload
from rxchat.tables import DocumentRow, FilePart, StoredFile

# SQLModel types its columns as their values, which a type checker cannot see through in queries.
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportOptionalMemberAccess=false, reportCallIssue=false, reportGeneralTypeIssues=false

# Whoever begins an upload takes turns with themselves: two at once must not both see the room for one.
_TAKE_TURNS = text("SELECT pg_advisory_xact_lock(hashtextextended(:owner, 5))")


async def take_turns(session: AsyncSession, owner_id: UUID) -> None:
    """Let nobody else add, finish or remove files of a person's until the transaction ends."""
    await session.execute(_TAKE_TURNS, {"owner": str(owner_id)})


async def kept(session: AsyncSession, owner_id: UUID) -> tuple[int, int]:
    """Return how many files a person keeps and how many bytes, until the transaction ends nobody adds to them."""
    await take_turns(session, owner_id)
    counted = await session.execute(
        select(func.count(), func.coalesce(func.sum(StoredFile.size_bytes), 0)).where(StoredFile.owner_id == owner_id)
    )
    count, size = counted.one()
    return count, int(size)


async def add(session: AsyncSession, row: StoredFile) -> None:
    """Begin a file."""
    session.add(row)
    await session.flush()


async def upload(session: AsyncSession, owner_id: UUID, document_id: UUID, *, lock: bool = False) -> Upload | None:
    """Return how far an upload of the person's own has come; with `lock`, nobody else goes on with it meanwhile."""
    statement = (
        select(
            DocumentRow.id, DocumentRow.collection_id, StoredFile.id.label("file_id"), DocumentRow.name,
            StoredFile.size_bytes, StoredFile.received_bytes, StoredFile.stored_at.is_not(None).label("is_stored"),
        )
        .join(StoredFile, (StoredFile.owner_id == DocumentRow.owner_id) & (StoredFile.id == DocumentRow.file_id))
        .where(DocumentRow.owner_id == owner_id, DocumentRow.id == document_id)
    )  # fmt: skip
    row = (await session.execute(statement.with_for_update() if lock else statement)).one_or_none()
    return Upload(*row) if row else None


async def add_part(session: AsyncSession, owner_id: UUID, file_id: UUID, part: Part) -> bool:
    """Remember where the next piece of a file is; False when another one was first."""
    moved = await session.execute(
        update(StoredFile)
        .where(
            StoredFile.owner_id == owner_id,
            StoredFile.id == file_id,
            StoredFile.received_bytes == part.start,
            StoredFile.stored_at.is_(None),
        )
        .values(received_bytes=part.start + part.size_bytes, touched_at=func.now())
    )
    if moved.rowcount != 1:
        return False
    session.add(
        FilePart(
            owner_id=owner_id, file_id=file_id, start=part.start, size_bytes=part.size_bytes, object_key=part.object_key
        )
    )
    await session.flush()
    return True


async def sealed(session: AsyncSession, file_id: UUID, owner_id: UUID) -> SealedFile | None:
    """Return what is needed to read a file that the acting person may read."""
    row = (
        await session.execute(select(StoredFile).where(StoredFile.owner_id == owner_id, StoredFile.id == file_id))
    ).scalar_one_or_none()
    if row is None:
        return None
    parts = await session.execute(
        select(FilePart.start, FilePart.size_bytes, FilePart.object_key)
        .where(FilePart.owner_id == owner_id, FilePart.file_id == file_id)
        .order_by(FilePart.start)
    )
    return SealedFile(
        owner_id, file_id, row.size_bytes, row.key_id, row.wrapped_key, tuple(Part(*part) for part in parts)
    )


async def finish(session: AsyncSession, owner_id: UUID, file_id: UUID, digest: bytes) -> UUID:
    """Say that a file is whole; return it, or the one of before with the same content."""
    same = await session.execute(
        select(StoredFile.id).where(
            StoredFile.owner_id == owner_id, StoredFile.digest == digest, StoredFile.stored_at.is_not(None)
        )
    )
    known = same.scalar_one_or_none()
    if known is not None:
        return known
    await session.execute(
        update(StoredFile)
        .where(StoredFile.owner_id == owner_id, StoredFile.id == file_id)
        .values(digest=digest, stored_at=func.now(), touched_at=func.now())
    )
    return file_id


async def remove_unused(session: AsyncSession, owner_id: UUID, file_ids: Sequence[UUID]) -> list[str]:
    """Forget files of which no document is made (any more); return where their pieces are."""
    used = select(DocumentRow.file_id).where(DocumentRow.owner_id == owner_id, DocumentRow.file_id.in_(list(file_ids)))
    unused = [file_id for file_id in file_ids if file_id not in set((await session.execute(used)).scalars())]
    found = await session.execute(
        select(FilePart.object_key).where(FilePart.owner_id == owner_id, FilePart.file_id.in_(unused))
    )
    keys = list(found.scalars())
    await session.execute(delete(StoredFile).where(StoredFile.owner_id == owner_id, StoredFile.id.in_(unused)))
    return keys


async def forget_uploads(session: AsyncSession, after: timedelta) -> list[str]:
    """Forget uploads that nobody goes on with, and files without a document; return where their pieces are."""
    found = await session.execute(text("SELECT forget_uploads(:after)"), {"after": after})
    return list(found.scalars())


_UNKNOWN = text("SELECT unknown_objects(:keys)").bindparams(bindparam("keys", type_=ARRAY(Text())))


async def received(session: AsyncSession, limit: int) -> list[tuple[UUID, UUID]]:
    """Return owners and documents of uploads that have arrived whole and that nobody has finished."""
    found = await session.execute(text("SELECT owner_id, id FROM received_uploads(:limit)"), {"limit": limit})
    return [(row.owner_id, row.id) for row in found]


async def unknown_objects(session: AsyncSession, keys: Sequence[str]) -> list[str]:
    """Return which of these pieces belong to no file."""
    return list((await session.execute(_UNKNOWN, {"keys": list(keys)})).scalars())


async def under_other_keys(session: AsyncSession, key_id: str, limit: int) -> list[StoredFile]:
    """Return files whose keys are wrapped by another master key than this one; for the database's owner."""
    found = await session.execute(select(StoredFile).where(StoredFile.key_id != key_id).limit(limit).with_for_update())
    return list(found.scalars())


async def rewrap(session: AsyncSession, row: StoredFile, key_id: str, wrapped_key: bytes) -> None:
    """Keep a file's key wrapped by another master key; for the database's owner."""
    await session.execute(
        update(StoredFile)
        .where(StoredFile.owner_id == row.owner_id, StoredFile.id == row.id)
        .values(key_id=key_id, wrapped_key=wrapped_key)
    )
