"""Queries about stored files and their parts in the object store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, bindparam, delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from rxchat.db.platform.results import row_count
from rxchat.domain.documents import CollectionKind, DocumentState
from rxchat.domain.files import EncryptedFile, Part, Upload
from rxchat.tables import Collection, DocumentRow, FilePart, ObjectDeletion, StoredFile

# Serializes a user's uploads: two at the same time must not both see quota that suffices for one.
_TAKE_TURNS = text("SELECT pg_advisory_xact_lock(hashtextextended(:owner, 5))")


async def lock_user_files(session: AsyncSession, owner_id: UUID) -> None:
    """Lock a user's files against concurrent adding, finishing and removal until the transaction ends."""
    await session.execute(_TAKE_TURNS, {"owner": str(owner_id)})


async def usage(session: AsyncSession, owner_id: UUID) -> tuple[int, int]:
    """Return the number and bytes of a user's documents, and lock the user's files until the transaction ends.

    Each document counts, although the same file is stored once, since each has its own chunks and vectors.
    """
    await lock_user_files(session, owner_id)
    counted = await session.execute(
        select(func.count(), func.coalesce(func.sum(col(DocumentRow.size_bytes)), 0)).where(
            col(DocumentRow.owner_id) == owner_id
        )
    )
    count, size = counted.one()
    return count, int(size)


async def count_collections(session: AsyncSession, owner_id: UUID, kind: CollectionKind) -> int:
    """Return the number of a user's collections of a kind, and lock them until the transaction ends."""
    await lock_user_files(session, owner_id)
    counted = await session.execute(
        select(func.count()).where(col(Collection.owner_id) == owner_id, col(Collection.kind) == kind)
    )
    return counted.scalar_one()


async def add(session: AsyncSession, row: StoredFile) -> None:
    """Insert a file whose upload starts."""
    session.add(row)
    await session.flush()


async def upload(session: AsyncSession, owner_id: UUID, document_id: UUID, *, lock: bool = False) -> Upload | None:
    """Return the user's own upload; with `lock`, locked until the transaction ends."""
    statement = (
        select(
            col(DocumentRow.id), col(DocumentRow.collection_id), col(StoredFile.id).label("file_id"), col(DocumentRow.name),
            col(StoredFile.size_bytes), col(StoredFile.received_bytes),
            (col(DocumentRow.state) != DocumentState.UPLOADING).label("is_stored"), col(DocumentRow.version),
            col(DocumentRow.if_exists),
        )
        .join(StoredFile, (col(StoredFile.owner_id) == col(DocumentRow.owner_id)) & (col(StoredFile.id) == col(DocumentRow.file_id)))
        .where(col(DocumentRow.owner_id) == owner_id, col(DocumentRow.id) == document_id)
    )  # fmt: skip
    row = (await session.execute(statement.with_for_update() if lock else statement)).one_or_none()
    return Upload(*row[:-1], if_exists=row.if_exists) if row else None


async def add_part(session: AsyncSession, owner_id: UUID, file_id: UUID, part: Part) -> bool:
    """Insert the next part of a file; False if another request has inserted it already."""
    moved = await session.execute(
        update(StoredFile)
        .where(
            col(StoredFile.owner_id) == owner_id,
            col(StoredFile.id) == file_id,
            col(StoredFile.received_bytes) == part.start,
            col(StoredFile.stored_at).is_(None),
        )
        .values(received_bytes=part.start + part.size_bytes, touched_at=func.now())
    )
    if row_count(moved) != 1:
        return False
    session.add(
        FilePart(
            owner_id=owner_id, file_id=file_id, start=part.start, size_bytes=part.size_bytes, object_key=part.object_key
        )
    )
    await session.flush()
    return True


async def add_whole(session: AsyncSession, row: StoredFile, parts: Sequence[Part], digest: bytes) -> None:
    """Insert a file whose parts are all stored."""
    await add(session, row)
    for part in parts:
        await add_part(session, row.owner_id, row.id, part)
    await finish(session, row.owner_id, row.id, digest)


async def encrypted_file(session: AsyncSession, file_id: UUID, owner_id: UUID) -> EncryptedFile | None:
    """Return the key and parts of a file that the acting user may read."""
    row = (
        await session.execute(
            select(StoredFile).where(col(StoredFile.owner_id) == owner_id, col(StoredFile.id) == file_id)
        )
    ).scalar_one_or_none()
    if row is None:
        return None
    parts = await session.execute(
        select(col(FilePart.start), col(FilePart.size_bytes), col(FilePart.object_key))
        .where(col(FilePart.owner_id) == owner_id, col(FilePart.file_id) == file_id)
        .order_by(col(FilePart.start))
    )
    return EncryptedFile(
        owner_id, file_id, row.size_bytes, row.key_id, row.wrapped_key, tuple(Part(*part) for part in parts)
    )


_LEASE = timedelta(seconds=8)


async def lease(session: AsyncSession, owner_id: UUID, file_id: UUID) -> bool:
    """Try to lease an upload for finalizing; False if it is already leased or stored."""
    taken = await session.execute(
        update(StoredFile)
        .where(
            col(StoredFile.owner_id) == owner_id,
            col(StoredFile.id) == file_id,
            col(StoredFile.stored_at).is_(None),
            func.coalesce(col(StoredFile.finalize_lease_until), func.now()) <= func.now(),
        )
        .values(finalize_lease_until=func.now() + _LEASE)
    )
    return row_count(taken) == 1


async def renew_lease(session: AsyncSession, owner_id: UUID, file_id: UUID) -> None:
    """Renew the lease of an upload for some seconds."""
    await _lease_until(session, owner_id, file_id, func.now() + _LEASE)


async def end_lease(session: AsyncSession, owner_id: UUID, file_id: UUID) -> None:
    """Release the lease of an upload."""
    await _lease_until(session, owner_id, file_id, None)


async def _lease_until(session: AsyncSession, owner_id: UUID, file_id: UUID, until: object) -> None:
    await session.execute(
        update(StoredFile)
        .where(col(StoredFile.owner_id) == owner_id, col(StoredFile.id) == file_id)
        .values(finalize_lease_until=until)
    )


async def find_same_content(session: AsyncSession, owner_id: UUID, digest: bytes) -> UUID | None:
    """Return the user's stored file with this content, or None."""
    same = await session.execute(
        select(col(StoredFile.id)).where(
            col(StoredFile.owner_id) == owner_id,
            col(StoredFile.digest) == digest,
            col(StoredFile.stored_at).is_not(None),
        )
    )
    return same.scalar_one_or_none()


async def finish(session: AsyncSession, owner_id: UUID, file_id: UUID, digest: bytes) -> None:
    """Mark a file as completely stored."""
    await session.execute(
        update(StoredFile)
        .where(col(StoredFile.owner_id) == owner_id, col(StoredFile.id) == file_id)
        .values(digest=digest, stored_at=func.now(), touched_at=func.now())
    )


async def replace(session: AsyncSession, owner_id: UUID, lost: UUID, file_id: UUID) -> list[str]:
    """Move all documents of an unreadable file to another file; return the keys of its parts."""
    await session.execute(
        update(DocumentRow)
        .where(col(DocumentRow.owner_id) == owner_id, col(DocumentRow.file_id) == lost)
        .values(file_id=file_id, updated_at=func.now())
    )
    return await remove_unused(session, owner_id, [lost])


async def failed_documents(session: AsyncSession, owner_id: UUID, file_id: UUID) -> dict[UUID, int]:
    """Return the documents of a file whose ingestion failed, with their generations."""
    found = await session.execute(
        select(col(DocumentRow.id), col(DocumentRow.generation)).where(
            col(DocumentRow.owner_id) == owner_id,
            col(DocumentRow.file_id) == file_id,
            col(DocumentRow.state) == DocumentState.FAILED,
        )
    )
    return {row.id: row.generation for row in found}


# Also of documents in the trash, which policies hide.
_FILES_IN_USE = text(
    """
    SELECT file_id FROM document WHERE owner_id = :owner AND file_id = ANY (:files)
    UNION SELECT file_id FROM trashed_document WHERE file_id = ANY (:files)
    """
).bindparams(bindparam("files", type_=ARRAY(Uuid())))


async def remove_unused(session: AsyncSession, owner_id: UUID, file_ids: Sequence[UUID]) -> list[str]:
    """Delete files without a document; return the keys of their parts."""
    used = set((await session.execute(_FILES_IN_USE, {"owner": owner_id, "files": list(file_ids)})).scalars())
    unused = [file_id for file_id in file_ids if file_id not in used]
    found = await session.execute(
        select(col(FilePart.object_key)).where(col(FilePart.owner_id) == owner_id, col(FilePart.file_id).in_(unused))
    )
    keys = list(found.scalars())
    await session.execute(
        delete(StoredFile).where(col(StoredFile.owner_id) == owner_id, col(StoredFile.id).in_(unused))
    )
    return keys


async def purge_uploads(session: AsyncSession, after: timedelta) -> None:
    """Delete abandoned uploads and files without a document, which queues their parts for deletion."""
    await session.execute(text("SELECT purge_uploads(:after)"), {"after": after})


_ORPHANED = text("SELECT orphaned_objects(:keys)").bindparams(bindparam("keys", type_=ARRAY(Text())))


async def pending_object_deletions(session: AsyncSession, limit: int) -> list[str]:
    """Return keys of objects that are queued for deletion from the store."""
    found = await session.execute(
        select(col(ObjectDeletion.object_key)).order_by(col(ObjectDeletion.enqueued_at)).limit(limit)
    )
    return list(found.scalars())


async def ack_object_deletions(session: AsyncSession, keys: Sequence[str]) -> None:
    """Remove objects that were deleted from the store from the queue."""
    await session.execute(delete(ObjectDeletion).where(col(ObjectDeletion.object_key).in_(list(keys))))


@dataclass(frozen=True, slots=True)
class InstanceInfo:
    """This instance's ID, and whether it has stored files."""

    name: str
    has_files: bool


async def instance_info(session: AsyncSession) -> InstanceInfo:
    """Return this instance's ID, which the object store must contain as its owner."""
    row = (await session.execute(text("SELECT id, has_files FROM instance_info"))).one()
    return InstanceInfo(str(row.id), row.has_files)


# Their process died, or the object store was not available at the time.
_TO_FINALIZE = text(
    """
    SELECT owner_id, id FROM received_upload
     WHERE touched_at < now() - interval '15 seconds'
       AND (finalize_lease_until IS NULL OR finalize_lease_until < now())
     ORDER BY touched_at LIMIT :limit
    """
)


async def uploads_to_finalize(session: AsyncSession, limit: int) -> list[tuple[UUID, UUID]]:
    """Return owners and documents of complete uploads that no process is finalizing."""
    found = await session.execute(_TO_FINALIZE, {"limit": limit})
    return [(row.owner_id, row.id) for row in found]


async def orphaned_objects(session: AsyncSession, keys: Sequence[str]) -> list[str]:
    """Return those of the keys that belong to no file."""
    return list((await session.execute(_ORPHANED, {"keys": list(keys)})).scalars())


async def wrapped_by_other_keys(session: AsyncSession, key_id: str, limit: int) -> list[StoredFile]:
    """Return files whose keys are wrapped by another master key; for the database's owner."""
    found = await session.execute(
        select(StoredFile).where(col(StoredFile.key_id) != key_id).limit(limit).with_for_update()
    )
    return list(found.scalars())


async def rewrap(session: AsyncSession, row: StoredFile, key_id: str, wrapped_key: bytes) -> None:
    """Store a file's key wrapped by another master key; for the database's owner."""
    await session.execute(
        update(StoredFile)
        .where(col(StoredFile.owner_id) == row.owner_id, col(StoredFile.id) == row.id)
        .values(key_id=key_id, wrapped_key=wrapped_key)
    )
