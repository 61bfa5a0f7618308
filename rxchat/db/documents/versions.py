"""Queries about versions of documents: the current one, its replacement, and the history."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, bindparam, delete, func, select, text, true, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from rxchat.db.documents.documents import FACTS, document_of
from rxchat.domain.documents import DocumentState
from rxchat.domain.files import Document, file_name_key
from rxchat.domain.versions import VersionState
from rxchat.tables import ChunkRow, DocumentRow, DocumentText


async def find_by_name(
    session: AsyncSession, owner_id: UUID, collection_id: UUID, name: str, *, but: UUID | None = None
) -> list[Document]:
    """Return the stored documents with a name in the user's own collection, the newest first.

    Ignores case, and leaves out earlier versions.
    """
    same = await _names_like(session, owner_id, collection_id, [name])
    if not same:
        return []
    found = await session.execute(
        select(*FACTS)
        .where(
            col(DocumentRow.owner_id) == owner_id,
            col(DocumentRow.collection_id) == collection_id,
            col(DocumentRow.name).in_(sorted(same)),
            (col(DocumentRow.id) != but) if but else true(),
            col(DocumentRow.parent_id).is_(None),
            col(DocumentRow.state) != DocumentState.UPLOADING,
            col(DocumentRow.version_state) != VersionState.SUPERSEDED,
        )
        .order_by(col(DocumentRow.created_at).desc(), col(DocumentRow.id))
    )
    return [document_of(row) for row in found]


# Postgres' case mapping of non-ASCII letters depends on the locale, so Python compares those names.
_NAMES_LIKE = text(
    """
    SELECT DISTINCT name FROM document
     WHERE owner_id = :owner AND collection_id = :collection AND parent_id IS NULL
       AND state <> 'uploading' AND version_state <> 'superseded'
       AND (lower(name) = ANY (:keys) OR octet_length(name) <> char_length(name))
    """
).bindparams(bindparam("keys", type_=ARRAY(Text())))


async def _names_like(session: AsyncSession, owner_id: UUID, collection_id: UUID, names: Sequence[str]) -> set[str]:
    keys = {file_name_key(name) for name in names}
    found = await session.execute(_NAMES_LIKE, {"owner": owner_id, "collection": collection_id, "keys": sorted(keys)})
    return {name for name in found.scalars() if file_name_key(name) in keys}


async def taken_names(session: AsyncSession, owner_id: UUID, collection_id: UUID, names: Sequence[str]) -> set[str]:
    """Return those of the names that documents of the user's own collection already have, ignoring case."""
    taken = {file_name_key(name) for name in await _names_like(session, owner_id, collection_id, names)}
    return {name for name in names if file_name_key(name) in taken}


async def next_version(session: AsyncSession, owner_id: UUID, series_id: UUID) -> int:
    """Return the number of the next version. Call with the user's files locked, so that it is unique."""
    newest = await session.execute(
        select(func.coalesce(func.max(col(DocumentRow.version)), 0)).where(
            col(DocumentRow.owner_id) == owner_id, col(DocumentRow.version_series_id) == series_id
        )
    )
    return newest.scalar_one() + 1


async def of_series(session: AsyncSession, owner_id: UUID, series_id: UUID) -> list[Document]:
    """Return all versions of a document that the acting user may read, the newest first."""
    found = await session.execute(
        select(*FACTS)
        .where(col(DocumentRow.owner_id) == owner_id, col(DocumentRow.version_series_id) == series_id)
        .order_by(col(DocumentRow.version).desc())
    )
    return [document_of(row) for row in found]


async def owner_name(session: AsyncSession, collection_id: UUID) -> str:
    """Return the name of a collection's owner; "" if the acting user may not see it."""
    found = await session.execute(text("SELECT collection_owner_name(:id)"), {"id": collection_id})
    return found.scalar_one_or_none() or ""


_WITH_PARTS = text(
    """
    WITH RECURSIVE asked AS (
        SELECT version_series_id FROM document
         WHERE owner_id = :owner AND id = ANY (:documents) AND version_state = 'current'),
    whole AS (
        SELECT id FROM document
         WHERE owner_id = :owner
           AND (id = ANY (:documents) OR version_series_id IN (SELECT version_series_id FROM asked))
        UNION
        SELECT child.id FROM whole JOIN document AS child ON child.owner_id = :owner AND child.parent_id = whole.id)
    SELECT id FROM whole
    """
).bindparams(bindparam("documents", type_=ARRAY(Uuid())))


async def with_dependents(session: AsyncSession, owner_id: UUID, document_ids: Sequence[UUID]) -> list[UUID]:
    """Return these documents of the user, and those that are deleted with them.

    These are the files attached to a mail and, for a current version, all other versions.
    """
    found = await session.execute(_WITH_PARTS, {"owner": owner_id, "documents": list(document_ids)})
    return list(found.scalars())


_REPLACED = text(
    """
    WITH RECURSIVE older AS (
        SELECT id FROM document
         WHERE owner_id = :owner AND version_series_id = :series AND version < :version AND version_state <> 'superseded'
        UNION
        SELECT child.id FROM older JOIN document AS child ON child.owner_id = :owner AND child.parent_id = older.id)
    SELECT id FROM older
    """
)


async def make_current(session: AsyncSession, document: Document) -> bool:
    """Make a ready document the current version of its series; False if a newer one is current.

    Call with the user's files locked. The chunks of earlier versions and their attached files are deleted, so that
    searches do not find them; their texts and files stay.
    """
    mine = (col(DocumentRow.owner_id) == document.owner_id, col(DocumentRow.id) == document.id)
    state = (await session.execute(select(col(DocumentRow.version_state)).where(*mine))).scalar_one_or_none()
    if state is None or state == VersionState.SUPERSEDED:
        return False
    given = {"owner": document.owner_id, "series": document.version_series_id, "version": document.version}
    older = list((await session.execute(_REPLACED, given)).scalars())
    if older:
        await supersede(session, document.owner_id, older)
    if state != VersionState.CURRENT:
        await session.execute(update(DocumentRow).where(*mine).values(version_state=VersionState.CURRENT))
    return True


async def supersede(session: AsyncSession, owner_id: UUID, document_ids: Sequence[UUID]) -> None:
    """Delete the chunks of documents, so that searches do not find them; their texts and files stay."""
    these = (col(DocumentRow.owner_id) == owner_id, col(DocumentRow.id).in_(list(document_ids)))
    # A document in re-ingestion keeps its old state, and its job is fenced off. One that was never ready is
    # ingested to the end.
    await session.execute(
        update(DocumentRow)
        .where(*these, col(DocumentRow.published_generation).is_not(None))
        .values(
            state=DocumentState.READY, generation=col(DocumentRow.published_generation), fence=col(DocumentRow.fence) + 1,
            status_text="", error="", progress=1.0,
        )
    )  # fmt: skip
    await session.execute(
        delete(ChunkRow).where(col(ChunkRow.owner_id) == owner_id, col(ChunkRow.document_id).in_(list(document_ids)))
    )
    await session.execute(
        update(DocumentRow)
        .where(*these)
        .values(
            version_state=VersionState.SUPERSEDED, published_generation=None, embedded_index=None, chunks=0,
            updated_at=func.now(),
        )
    )  # fmt: skip


async def copy_text(session: AsyncSession, original: Document, copy_id: UUID) -> bool:
    """Copy the text of a document to its copy, so that it is not parsed again; False if there is no text."""
    row = (
        await session.execute(
            select(DocumentText)
            .where(col(DocumentText.owner_id) == original.owner_id, col(DocumentText.document_id) == original.id)
            .order_by(col(DocumentText.generation).desc())
            .limit(1)
        )
    ).scalar_one_or_none()
    if row is None:
        return False
    session.add(
        DocumentText(
            owner_id=row.owner_id, document_id=copy_id, generation=1, collection_id=row.collection_id, title=row.title,
            text=row.text, blocks=row.blocks,
        )
    )  # fmt: skip
    await session.flush()
    return True
