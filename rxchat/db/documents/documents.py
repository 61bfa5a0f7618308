"""Queries about collections and the documents in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from rxchat.db.platform.results import row_count
from rxchat.domain.conversation_events import ContextKind
from rxchat.domain.documents import CollectionKind, DocumentState
from rxchat.domain.files import Document
from rxchat.domain.versions import VersionState
from rxchat.tables import Collection, DocumentRow

FACTS = [getattr(DocumentRow, name) for name in Document.__dataclass_fields__]


@dataclass(frozen=True, slots=True)
class CollectionFacts:
    """A collection, with the number of its documents and chunks."""

    owner_id: UUID
    id: UUID
    kind: CollectionKind
    name: str
    description: str
    documents: int
    chunks: int


_COLLECTIONS = text(
    """
    SELECT collection.owner_id, collection.id, collection.kind, collection.name, collection.description,
           count(document.id) FILTER (WHERE document.version_state <> 'superseded') AS documents, coalesce(sum(document.chunks), 0) AS chunks
      FROM collection LEFT JOIN document ON document.collection_id = collection.id
     WHERE collection.kind = 'library' OR collection.id = :also
     GROUP BY collection.owner_id, collection.id, collection.kind, collection.name, collection.description
     ORDER BY collection.owner_id <> :current_user, lower(collection.name), collection.id
    """
).bindparams(bindparam("also", type_=Uuid()), bindparam("current_user", type_=Uuid()))


async def collections(session: AsyncSession, current_user_id: UUID, also: UUID | None = None) -> list[CollectionFacts]:
    """Return the collections that the acting user may read, their own first.

    Collections of attachments are left out, except the one with the ID `also`.
    """
    found = await session.execute(_COLLECTIONS, {"current_user": current_user_id, "also": also})
    return [
        CollectionFacts(**{**row, "kind": CollectionKind(row["kind"]), "chunks": int(row["chunks"])})
        for row in found.mappings()
    ]


async def collection(session: AsyncSession, collection_id: UUID) -> Collection | None:
    """Return a collection that the acting user may read."""
    found = await session.execute(select(Collection).where(col(Collection.id) == collection_id))
    return found.scalars().first()


async def owned_collection(session: AsyncSession, owner_id: UUID, collection_id: UUID) -> Collection | None:
    """Return the user's own collection."""
    found = await session.execute(
        select(Collection).where(col(Collection.owner_id) == owner_id, col(Collection.id) == collection_id)
    )
    return found.scalar_one_or_none()


async def add_collection(session: AsyncSession, row: Collection) -> None:
    """Create a collection."""
    session.add(row)
    await session.flush()


async def get_or_create_attachments(
    session: AsyncSession, owner_id: UUID, collection_id: UUID, draft_key: UUID
) -> UUID:
    """Return the collection of a draft's attachments; creates it, with this ID, if it does not exist."""
    statement = insert(Collection).values(
        owner_id=owner_id,
        id=collection_id,
        kind=CollectionKind.ATTACHMENTS,
        name="Attachments",
        description="",
        draft_key=draft_key,
    )
    await session.execute(
        statement.on_conflict_do_nothing(
            index_elements=["owner_id", "draft_key"], index_where=col(Collection.draft_key).is_not(None)
        )
    )
    found = await session.execute(
        select(col(Collection.id)).where(col(Collection.owner_id) == owner_id, col(Collection.draft_key) == draft_key)
    )
    return found.scalar_one()


async def find_attachments(session: AsyncSession, owner_id: UUID, draft_key: UUID) -> UUID | None:
    """Return the collection of a draft's attachments, or None."""
    found = await session.execute(
        select(col(Collection.id)).where(col(Collection.owner_id) == owner_id, col(Collection.draft_key) == draft_key)
    )
    return found.scalar_one_or_none()


async def change_collection(
    session: AsyncSession, owner_id: UUID, collection_id: UUID, name: str, description: str
) -> bool:
    """Change the name and description of the user's own collection; False if it does not exist."""
    changed = await session.execute(
        update(Collection)
        .where(
            col(Collection.owner_id) == owner_id,
            col(Collection.id) == collection_id,
            col(Collection.kind) == CollectionKind.LIBRARY,
        )
        .values(name=name, description=description)
    )
    return row_count(changed) == 1


async def remove_collection(session: AsyncSession, owner_id: UUID, collection_id: UUID) -> bool:
    """Delete the user's own collection with its documents; False if it does not exist."""
    removed = await session.execute(
        delete(Collection).where(col(Collection.owner_id) == owner_id, col(Collection.id) == collection_id)
    )
    return row_count(removed) == 1


_NAMED = text(
    """
    (SELECT id, 'collection' AS kind, name, '' AS within FROM collection
      WHERE kind = 'library' AND position(lower(:words) IN lower(name)) > 0 ORDER BY lower(name) LIMIT :limit)
    UNION ALL
    (SELECT document.id, 'document', document.name, collection.name
       FROM document JOIN collection ON collection.owner_id = document.owner_id AND collection.id = document.collection_id
      WHERE collection.kind = 'library' AND document.published_generation IS NOT NULL
        AND position(lower(:words) IN lower(document.name)) > 0 ORDER BY document.created_at DESC LIMIT :limit)
    LIMIT :limit
    """
)


async def search_by_name(session: AsyncSession, words: str, limit: int) -> list[tuple[UUID, ContextKind, str, str]]:
    """Return collections and documents whose names contain these words: ID, kind, name, and parent."""
    found = await session.execute(_NAMED, {"words": words, "limit": limit})
    return [(row.id, ContextKind(row.kind), row.name, row.within) for row in found]


async def documents(session: AsyncSession, collection_id: UUID) -> list[Document]:
    """Return the documents of a collection that the acting user may read, the newest first.

    Of each document's versions, these are the current one and those that will replace it.
    """
    found = await session.execute(
        select(*FACTS)
        .where(
            col(DocumentRow.collection_id) == collection_id,
            col(DocumentRow.version_state) != VersionState.SUPERSEDED,
        )
        .order_by(col(DocumentRow.created_at).desc(), col(DocumentRow.id))
    )
    return [document_of(row) for row in found]


async def ids_in(session: AsyncSession, owner_id: UUID, collection_id: UUID) -> list[UUID]:
    """Return the IDs of all documents of the user's own collection, earlier versions too."""
    found = await session.execute(
        select(col(DocumentRow.id)).where(
            col(DocumentRow.owner_id) == owner_id, col(DocumentRow.collection_id) == collection_id
        )
    )
    return list(found.scalars())


async def all_owned(session: AsyncSession, owner_id: UUID) -> list[Document]:
    """Return all stored documents of a user, attachments too, the oldest first."""
    found = await session.execute(
        select(*FACTS)
        .where(col(DocumentRow.owner_id) == owner_id, col(DocumentRow.state) != DocumentState.UPLOADING)
        .order_by(col(DocumentRow.created_at), col(DocumentRow.id))
    )
    return [document_of(row) for row in found]


async def document(session: AsyncSession, document_id: UUID) -> Document | None:
    """Return a document that the acting user may read."""
    row = (await session.execute(select(*FACTS).where(col(DocumentRow.id) == document_id))).first()
    return document_of(row) if row else None


async def readable(session: AsyncSession, document_ids: Sequence[UUID]) -> list[Document]:
    """Return those of these documents that the acting user may read."""
    found = await session.execute(select(*FACTS).where(col(DocumentRow.id).in_(document_ids)))
    return [document_of(row) for row in found]


async def owned_document(
    session: AsyncSession, owner_id: UUID, document_id: UUID, *, lock: bool = False
) -> Document | None:
    """Return the user's own document; with `lock`, locked until the transaction ends."""
    statement = select(*FACTS).where(col(DocumentRow.owner_id) == owner_id, col(DocumentRow.id) == document_id)
    row = (await session.execute(statement.with_for_update() if lock else statement)).one_or_none()
    return document_of(row) if row else None


async def count_owned(session: AsyncSession, owner_id: UUID, document_ids: Sequence[UUID]) -> int:
    """Return the number of these documents that are the user's own."""
    counted = await session.execute(
        select(func.count())
        .select_from(DocumentRow)
        .where(col(DocumentRow.owner_id) == owner_id, col(DocumentRow.id).in_(list(document_ids)))
    )
    return counted.scalar_one()


def document_of(row: Any) -> Document:
    """Return the domain value of a row of `FACTS`."""
    return Document(**row._mapping)


async def add_document(session: AsyncSession, row: DocumentRow) -> None:
    """Insert a document."""
    session.add(row)
    await session.flush()


async def change_document(session: AsyncSession, owner_id: UUID, document_id: UUID, **facts: Any) -> bool:
    """Change columns of the user's own document; False if it does not exist."""
    changed = await session.execute(
        update(DocumentRow)
        .where(col(DocumentRow.owner_id) == owner_id, col(DocumentRow.id) == document_id)
        .values(**facts, updated_at=func.now())
    )
    return row_count(changed) == 1


async def remove_documents(session: AsyncSession, owner_id: UUID, document_ids: Sequence[UUID]) -> list[UUID]:
    """Delete documents of the user with their texts, chunks and vectors; return the IDs of their files."""
    removed = await session.execute(
        delete(DocumentRow)
        .where(col(DocumentRow.owner_id) == owner_id, col(DocumentRow.id).in_(list(document_ids)))
        .returning(col(DocumentRow.file_id))
    )
    return list(set(removed.scalars()))


_CITED = text("SELECT document_id, answers FROM times_cited(:documents)").bindparams(
    bindparam("documents", type_=ARRAY(Uuid()))
)


async def times_cited(session: AsyncSession, document_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return the number of answers that cite each of these documents."""
    found = await session.execute(_CITED, {"documents": list(document_ids)})
    return {row.document_id: row.answers for row in found}


@dataclass(frozen=True, slots=True)
class TextExcerpt:
    """A part of a document's text, and the length of the whole text."""

    title: str
    text: str
    characters: int


_PIECE = text(
    """
    SELECT said.title, substr(said.text, :start + 1, :length) AS piece, char_length(said.text) AS characters
      FROM document_text AS said JOIN document ON document.owner_id = said.owner_id AND document.id = said.document_id
     WHERE said.document_id = :document AND said.generation = coalesce(document.published_generation, document.generation)
    """
).bindparams(bindparam("document", type_=Uuid()))


async def text_excerpt(session: AsyncSession, document_id: UUID, start: int, length: int) -> TextExcerpt:
    """Return a part of the text of a document's published generation, or of the current one before the first."""
    found = await session.execute(_PIECE, {"document": document_id, "start": start, "length": length})
    row = found.first()
    return TextExcerpt(row.title, row.piece, row.characters) if row else TextExcerpt("", "", 0)
