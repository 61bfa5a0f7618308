"""Queries about the context sources of conversations, and the sources of answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from rxchat.domain.conversation_events import ContextKind
from rxchat.domain.conversations import ContextSourceChange, SourceRef
from rxchat.domain.retrieval import Passage, ShownSource, Source
from rxchat.tables import ConversationSource, MessageSource

_READABLE = text(
    """
    SELECT id, 'document' AS kind, name, state <> 'uploading' AS is_stored FROM document WHERE id = ANY (:ids)
    UNION ALL SELECT id, 'collection', name, true FROM collection WHERE id = ANY (:ids)
    """
).bindparams(bindparam("ids", type_=ARRAY(Uuid())))


async def readable(session: AsyncSession, ids: Sequence[UUID], *, with_uploads: bool = False) -> dict[UUID, SourceRef]:
    """Return those of these documents and collections that the acting user may read, by ID."""
    if not ids:
        return {}
    found = await session.execute(_READABLE, {"ids": list(ids)})
    return {
        row.id: SourceRef(row.id, ContextKind(row.kind), row.name) for row in found if row.is_stored or with_uploads
    }


async def change(session: AsyncSession, owner_id: UUID, conversation_id: UUID, changed: ContextSourceChange) -> None:
    """Apply an event to the projection."""
    key = {"owner_id": owner_id, "conversation_id": conversation_id, "id": changed.id}
    if changed.name is None:
        await session.execute(
            delete(ConversationSource).where(
                col(ConversationSource.owner_id) == owner_id,
                col(ConversationSource.conversation_id) == conversation_id,
                col(ConversationSource.id) == changed.id,
            )
        )
        return
    statement = insert(ConversationSource).values(**key, kind=changed.kind, name=changed.name)
    await session.execute(statement.on_conflict_do_nothing())


async def for_conversation(session: AsyncSession, owner_id: UUID, conversation_id: UUID) -> list[SourceRef]:
    """Return the context sources of a conversation in the order in which they were attached."""
    found = await session.execute(
        select(col(ConversationSource.id), col(ConversationSource.kind), col(ConversationSource.name))
        .where(
            col(ConversationSource.owner_id) == owner_id,
            col(ConversationSource.conversation_id) == conversation_id,
        )
        .order_by(col(ConversationSource.created_at), col(ConversationSource.id))
    )
    return [SourceRef(*row) for row in found]


_OF_PROJECTS = text(
    """
    WITH RECURSIVE around AS (
        SELECT project.parent_id, project.collection_ids, 0 AS depth
          FROM conversation_project AS placed JOIN project ON project.owner_id = placed.owner_id AND project.id = placed.project_id
         WHERE placed.owner_id = :owner AND placed.conversation_id = :conversation
        UNION ALL
        SELECT project.parent_id, project.collection_ids, around.depth + 1 FROM around
          JOIN project ON project.owner_id = :owner AND project.id = around.parent_id WHERE around.depth < 10)
    SELECT collection.id, collection.name FROM collection
     WHERE collection.kind = 'library' AND collection.id IN (
               SELECT unnest(collection_ids) FROM around
               UNION ALL
               SELECT chosen.id::uuid FROM conversation,
                      jsonb_array_elements_text(conversation.assistant #> '{content,collection_ids}') AS chosen (id)
                WHERE conversation.owner_id = :owner AND conversation.id = :conversation)
     ORDER BY collection.name, collection.id
    """
)


async def searched(session: AsyncSession, owner_id: UUID, conversation_id: UUID) -> list[SourceRef]:
    """Return what answers in a conversation draw on: its context sources, and the collections of its assistant and of the projects around it.

    Of these collections only those that the acting user may read.
    """
    known = await for_conversation(session, owner_id, conversation_id)
    have = {item.id for item in known}
    found = await session.execute(_OF_PROJECTS, {"owner": owner_id, "conversation": conversation_id})
    return [*known, *(SourceRef(row.id, ContextKind.COLLECTION, row.name) for row in found if row.id not in have)]


_UNREAD = text(
    """
    SELECT coalesce(array_agg(name ORDER BY created_at) FILTER (WHERE state <> 'failed' AND status_text = ''), '{}') AS being_read,
           coalesce(array_agg(name ORDER BY created_at) FILTER (WHERE state <> 'failed' AND status_text <> ''), '{}') AS waiting,
           coalesce(array_agg(name ORDER BY created_at) FILTER (WHERE state = 'failed'), '{}') AS failed
      FROM document
     WHERE state NOT IN ('uploading', 'ready') AND published_generation IS NULL AND version_state = 'current'
       AND (collection_id = ANY (:ids) OR id = ANY (:ids) OR parent_id = ANY (:ids))
       AND NOT (:sees AND media_type LIKE 'image/%')
    """
).bindparams(bindparam("ids", type_=ARRAY(Uuid())))
_TEXTS = text(
    """
    SELECT EXISTS (SELECT FROM document WHERE media_type NOT LIKE 'image/%'
                      AND (collection_id = ANY (:ids) OR id = ANY (:ids) OR parent_id = ANY (:ids)))
    """
).bindparams(bindparam("ids", type_=ARRAY(Uuid())))


@dataclass(frozen=True, slots=True)
class UnavailableDocuments:
    """The names of documents that searches cannot find: they are being ingested, are queued, or have failed."""

    being_read: Sequence[str] = ()
    waiting: Sequence[str] = ()
    failed: Sequence[str] = ()


async def unavailable_documents(
    session: AsyncSession, ids: Sequence[UUID], *, sees: bool = False
) -> UnavailableDocuments:
    """Return which of these documents, or of the documents of these collections, searches cannot find.

    A model that sees (`sees`) gets pictures themselves.
    """
    row = (await session.execute(_UNREAD, {"ids": list(ids), "sees": sees})).one()
    return UnavailableDocuments(row.being_read, row.waiting, row.failed)


async def have_texts(session: AsyncSession, ids: Sequence[UUID]) -> bool:
    """Return whether any of these documents, or of the documents of these collections, is no picture."""
    return bool((await session.execute(_TEXTS, {"ids": list(ids)})).scalar_one())


async def save_sources(
    session: AsyncSession, owner_id: UUID, conversation_id: UUID, message_id: UUID, sources: Sequence[Source]
) -> None:
    """Replace the stored sources of an answer."""
    await session.execute(
        delete(MessageSource).where(
            col(MessageSource.owner_id) == owner_id, col(MessageSource.message_id) == message_id
        )
    )
    rows: list[dict[str, Any]] = [
        {
            "owner_id": owner_id,
            "message_id": message_id,
            "number": source.number,
            "conversation_id": conversation_id,
            "document_owner_id": source.passage.document_owner_id,
            "document_id": source.passage.document_id,
            "collection_id": source.passage.collection_id,
            "chunk_id": source.passage.chunk_id,
            "name": source.passage.name,
            "heading": source.passage.heading,
            "page": source.passage.page,
            "start": source.passage.start,
            "end": source.passage.end,
            "text": source.passage.text,
            "hash": source.passage.hash,
            "score": source.passage.score,
            "is_cited": False,
        }
        for source in sources
    ]
    if rows:
        await session.execute(insert(MessageSource), rows)


async def sources(session: AsyncSession, owner_id: UUID, message_id: UUID) -> list[Source]:
    """Return the sources of an answer."""
    found = await session.execute(
        select(MessageSource)
        .where(col(MessageSource.owner_id) == owner_id, col(MessageSource.message_id) == message_id)
        .order_by(col(MessageSource.number))
    )
    return [
        Source(
            row.number,
            Passage(
                row.chunk_id, row.document_id, row.document_owner_id, row.collection_id, row.name, row.heading, row.page,
                0, row.start, row.end, 0, row.text, row.hash, row.score,
            ),
        )
        for row in found.scalars()
    ]  # fmt: skip


_COPIED = ", ".join(
    f'"{name}"' for name in MessageSource.model_fields if name not in {"owner_id", "message_id", "conversation_id"}
)
_COPY = text(
    f"""
    INSERT INTO message_source (owner_id, message_id, conversation_id, {_COPIED})
    SELECT owner_id, copy.id, :conversation, {_COPIED} FROM message_source
      JOIN unnest(:messages, :copies) AS copy (original, id) ON copy.original = message_source.message_id
     WHERE owner_id = :owner
    """  # noqa: S608 - put together from constants
).bindparams(bindparam("messages", type_=ARRAY(Uuid())), bindparam("copies", type_=ARRAY(Uuid())))


async def copy_sources(
    session: AsyncSession, owner_id: UUID, conversation_id: UUID, copies: Mapping[UUID, UUID]
) -> None:
    """Give the copies of answers, which are in this conversation, the sources of the originals."""
    await session.execute(
        _COPY,
        {
            "owner": owner_id,
            "conversation": conversation_id,
            "messages": list(copies),
            "copies": list(copies.values()),
        },
    )


async def mark_cited(session: AsyncSession, owner_id: UUID, message_id: UUID, numbers: Sequence[int]) -> None:
    """Mark the sources that an answer cites."""
    await session.execute(
        update(MessageSource)
        .where(col(MessageSource.owner_id) == owner_id, col(MessageSource.message_id) == message_id)
        .values(is_cited=col(MessageSource.number).in_(list(numbers)))
    )


# A user may see sources of their own documents even after deletion. Sources of other users' documents are visible while
# the user may read the collection; deleting a collection ends that right.
_SHOWN = text(
    """
    SELECT source.*, EXISTS (SELECT FROM document WHERE document.owner_id = source.document_owner_id
                                AND document.id = source.document_id) AS is_there,
           source.document_owner_id = :current_user
           OR EXISTS (SELECT FROM collection WHERE collection.owner_id = source.document_owner_id
                         AND collection.id = source.collection_id) AS is_allowed
      FROM message_source AS source
     WHERE source.owner_id = :owner AND source.conversation_id = :conversation AND source.message_id = :message
     ORDER BY source.number
    """
)


async def shown_sources(
    session: AsyncSession, current_user_id: UUID, owner_id: UUID, conversation_id: UUID, message_id: UUID
) -> list[ShownSource]:
    """Return the sources of an answer, as far as the acting user may see them now."""
    found = await session.execute(
        _SHOWN,
        {"current_user": current_user_id, "owner": owner_id, "conversation": conversation_id, "message": message_id},
    )
    return [_shown(row) for row in found]


def _shown(row: Any) -> ShownSource:
    allowed = bool(row.is_allowed)
    return ShownSource(
        number=row.number,
        name=row.name if allowed else "",
        heading=row.heading if allowed else "",
        page=row.page if allowed else 0,
        start=row.start if allowed else 0,
        end=row.end if allowed else 0,
        text=row.text if allowed else "",
        hash=row.hash if allowed else b"",
        document_id=row.document_id,
        score=row.score,
        is_cited=row.is_cited,
        is_there=bool(row.is_there),
        is_allowed=allowed,
    )
