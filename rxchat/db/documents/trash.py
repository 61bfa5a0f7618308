"""Queries about deleted documents that can still be restored; policies hide them from everything else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ARRAY, Interval, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True, slots=True)
class DeletedDocument:
    """A document in the trash, with the earlier versions and attached files that were deleted with it."""

    id: UUID
    collection_id: UUID
    name: str
    size_bytes: int
    deleted_at: datetime
    documents: int
    """The number of rows, all versions and attached files included."""
    bytes: int


@dataclass(frozen=True, slots=True)
class DeletedCopy:
    """One row of the trash for an export: a document, version or attached file."""

    id: UUID
    collection_id: UUID
    file_id: UUID
    name: str
    size_bytes: int
    created_at: datetime
    version: int
    version_state: str
    deleted_at: datetime


_RESTORABLE = text(
    """
    SELECT document.id
      FROM document JOIN collection ON collection.owner_id = document.owner_id AND collection.id = document.collection_id
     WHERE document.owner_id = :owner AND document.id = ANY (:documents) AND document.version_state = 'current'
       AND document.state <> 'uploading' AND collection.kind = 'library'
    """
).bindparams(bindparam("documents", type_=ARRAY(Uuid())))


async def restorable(session: AsyncSession, owner_id: UUID, document_ids: Sequence[UUID]) -> list[UUID]:
    """Return those of the user's documents that move to the trash when they are deleted.

    Single versions, unfinished uploads and attachments of messages are deleted permanently.
    """
    found = await session.execute(_RESTORABLE, {"owner": owner_id, "documents": list(document_ids)})
    return list(found.scalars())


# Whatever changes a document and its chunks takes the document first: in another order, two would wait for each other.
_LOCK = text(
    """
    SELECT FROM document WHERE owner_id = current_user_id() AND id = ANY (:documents) ORDER BY id FOR UPDATE
    """
).bindparams(bindparam("documents", type_=ARRAY(Uuid())))
_TRASH = text("SELECT trash_documents(:documents, :most_bytes, :most_documents)").bindparams(
    bindparam("documents", type_=ARRAY(Uuid()))
)


async def trash(
    session: AsyncSession, document_ids: Sequence[UUID], *, most_bytes: int, most_documents: int
) -> list[UUID]:
    """Move documents of the acting user to the trash.

    If the trash exceeds the limits, the oldest documents are deleted permanently. Returns the files of these.
    """
    await session.execute(_LOCK, {"documents": list(document_ids)})
    given = {"documents": list(document_ids), "most_bytes": most_bytes, "most_documents": most_documents}
    return list((await session.execute(_TRASH, given)).scalars())


_TRASHED_FILES = text("SELECT DISTINCT file_id FROM trashed_document WHERE collection_id = :collection")


async def trashed_files(session: AsyncSession, collection_id: UUID) -> list[UUID]:
    """Return the files of a collection's documents in the acting user's trash."""
    return list((await session.execute(_TRASHED_FILES, {"collection": collection_id})).scalars())


# Attached files, and versions that were deleted with their document, are counted with it and not listed
# themselves.
_TRASHED = text(
    """
    WITH RECURSIVE top AS (
        SELECT document.* FROM trashed_document AS document LEFT JOIN trashed_document AS parent
            ON parent.id = document.parent_id AND parent.deleted_at = document.deleted_at
         WHERE document.version_state = 'current' AND parent.id IS NULL
           AND (:collection IS NULL OR document.collection_id = :collection)),
    whole AS (
        SELECT top.id AS top_id, document.id, document.size_bytes, document.deleted_at
          FROM top JOIN trashed_document AS document
            ON document.version_series_id = top.version_series_id AND document.deleted_at = top.deleted_at
        UNION
        SELECT whole.top_id, child.id, child.size_bytes, child.deleted_at
          FROM whole JOIN trashed_document AS child
            ON child.parent_id = whole.id AND child.deleted_at = whole.deleted_at)
    SELECT top.id, top.collection_id, top.name, top.size_bytes, top.deleted_at, count(whole.id) AS documents,
           sum(whole.size_bytes)::bigint AS bytes
      FROM top JOIN whole ON whole.top_id = top.id
     GROUP BY top.id, top.collection_id, top.name, top.size_bytes, top.deleted_at
     ORDER BY top.deleted_at DESC, top.id
    """
).bindparams(bindparam("collection", type_=Uuid()))
_COPIES = text(
    """
    SELECT id, collection_id, file_id, name, size_bytes, created_at, version, version_state, deleted_at
      FROM trashed_document ORDER BY created_at, id
    """
)


async def list_trash(session: AsyncSession, collection_id: UUID | None = None) -> list[DeletedDocument]:
    """Return the acting user's trash, of one collection or all, the latest deletion first."""
    found = await session.execute(_TRASHED, {"collection": collection_id})
    return [DeletedDocument(**row) for row in found.mappings()]


async def list_copies(session: AsyncSession) -> list[DeletedCopy]:
    """Return all rows of the acting user's trash, versions and attached files too, the oldest upload first."""
    found = await session.execute(_COPIES)
    return [DeletedCopy(**row) for row in found.mappings()]


_RESTORE = text("SELECT id, state FROM restore_documents(:document)").bindparams(bindparam("document", type_=Uuid()))


async def restore(session: AsyncSession, document_id: UUID) -> dict[UUID, str]:
    """Restore a document and everything that was deleted with it; return the states of all of them."""
    found = await session.execute(_RESTORE, {"document": document_id})
    return {row.id: row.state for row in found}


_PURGE = text("SELECT purge_documents(:after)").bindparams(bindparam("after", type_=Interval()))


async def purge(session: AsyncSession, after: timedelta) -> int:
    """Permanently delete documents of all users that have been in the trash for `after`; return their number."""
    return (await session.execute(_PURGE, {"after": after})).scalar_one()
