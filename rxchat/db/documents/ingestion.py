"""Queries of ingestion jobs; a fence lets only the job that claimed a document last write to it."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Text, bindparam, cast, delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from rxchat.db.documents.documents import owned_document
from rxchat.db.platform.results import row_count
from rxchat.domain.chunking import Chunk
from rxchat.domain.documents import Block, BlockKind, DocumentState, ParsedDocument
from rxchat.domain.files import Document
from rxchat.domain.ids import new_id
from rxchat.domain.lexemes import VERSION, indexed
from rxchat.domain.retrieval import embedded_text
from rxchat.tables import ChunkRow, ChunkVector, DocumentRow, DocumentText

_AT_A_TIME = 500


@dataclass(frozen=True, slots=True)
class ClaimedDocument:
    """A document that a job has claimed, and the fence of the claim."""

    document: Document
    fence: int
    attempts: int = 0
    """The number of claims since the last progress."""


async def claim(session: AsyncSession, owner_id: UUID, document_id: UUID) -> ClaimedDocument | None:
    """Claim a document, which fences off earlier jobs; None if the document was deleted."""
    taken = await session.execute(
        update(DocumentRow)
        .where(col(DocumentRow.owner_id) == owner_id, col(DocumentRow.id) == document_id)
        .values(fence=col(DocumentRow.fence) + 1, attempts=col(DocumentRow.attempts) + 1, updated_at=func.now())
        .returning(col(DocumentRow.fence), col(DocumentRow.attempts))
    )
    row = taken.one_or_none()
    document = await owned_document(session, owner_id, document_id)
    return ClaimedDocument(document, row.fence, row.attempts) if document is not None and row is not None else None


async def attempts(session: AsyncSession, owner_id: UUID, document_id: UUID) -> tuple[int, bool] | None:
    """Return the claims since the last progress, and whether the document is ready or failed; None if deleted."""
    found = await session.execute(
        select(col(DocumentRow.attempts), col(DocumentRow.state)).where(
            col(DocumentRow.owner_id) == owner_id, col(DocumentRow.id) == document_id
        )
    )
    row = found.one_or_none()
    return (row.attempts, row.state.is_final) if row is not None else None


async def retry_later(session: AsyncSession, owner_id: UUID, document_id: UUID, seconds: float) -> None:
    """Postpone embedding of a document by `seconds`."""
    await session.execute(
        update(DocumentRow)
        .where(col(DocumentRow.owner_id) == owner_id, col(DocumentRow.id) == document_id)
        .values(retry_at=func.now() + timedelta(seconds=seconds))
    )


async def set_status_text(
    session: AsyncSession, owner_id: UUID, document_id: UUID, words: str, detail: str = ""
) -> None:
    """Set a document's status text, independent of the claim; the detail is for administrators."""
    await session.execute(
        update(DocumentRow)
        .where(col(DocumentRow.owner_id) == owner_id, col(DocumentRow.id) == document_id)
        .values(status_text=words, status_detail=detail, updated_at=func.now())
    )


async def advance(session: AsyncSession, taken: ClaimedDocument, **facts: Any) -> bool:
    """Change columns of a document; False if another job has claimed it, or it was deleted.

    Clears the status text, unless `facts` sets it.
    """
    return await _changed(session, taken, {"status_text": "", "status_detail": "", **facts, "attempts": 0})


_SAVE_TEXT = text(
    """
    INSERT INTO document_text (owner_id, document_id, generation, collection_id, title, text, blocks)
    VALUES (:owner, :document, :generation, :collection, :title, :text, CAST(:blocks AS jsonb))
    ON CONFLICT (owner_id, document_id, generation) DO UPDATE
    SET collection_id = excluded.collection_id, title = excluded.title, text = excluded.text, blocks = excluded.blocks
    """
)


async def report_progress(session: AsyncSession, taken: ClaimedDocument, remark: str, progress: float) -> bool:
    """Report the progress of a step that stores results only at its end; does not reset the attempts."""
    return await _changed(
        session, taken, {"status_text": "", "status_detail": "", "warnings": remark, "progress": progress}
    )


async def _changed(session: AsyncSession, taken: ClaimedDocument, facts: dict[str, Any]) -> bool:
    changed = await session.execute(
        update(DocumentRow)
        .where(
            col(DocumentRow.owner_id) == taken.document.owner_id,
            col(DocumentRow.id) == taken.document.id,
            col(DocumentRow.fence) == taken.fence,
        )
        .values(**facts, updated_at=func.now())
    )
    return row_count(changed) == 1


async def save_text(session: AsyncSession, document: Document, parsed: ParsedDocument) -> None:
    """Store the parsed text and blocks of a document."""
    facts = {
        "owner": document.owner_id,
        "document": document.id,
        "generation": document.generation,
        "collection": document.collection_id,
        "title": parsed.title,
        "text": parsed.text,
        # Encoding and decoding the blocks of a large document take a second.
        "blocks": await asyncio.to_thread(_written, parsed.blocks),
    }
    await session.execute(_SAVE_TEXT, facts)


def _written(blocks: Sequence[Block]) -> str:
    return json.dumps([[item.kind.value, item.start, item.end, item.page, item.level] for item in blocks])


def _read(blocks: str) -> tuple[Block, ...]:
    return tuple(
        Block(BlockKind(kind), start, end, page, level) for kind, start, end, page, level in json.loads(blocks)
    )


async def load_parsed(session: AsyncSession, document: Document) -> ParsedDocument | None:
    """Return the parsed document, or None."""
    row = (
        await session.execute(
            select(
                col(DocumentText.title), col(DocumentText.text), cast(col(DocumentText.blocks), Text).label("blocks")
            ).where(
                col(DocumentText.owner_id) == document.owner_id,
                col(DocumentText.document_id) == document.id,
                col(DocumentText.generation) == document.generation,
            )
        )
    ).one_or_none()
    if row is None:
        return None
    blocks = await asyncio.to_thread(_read, row.blocks)
    return ParsedDocument(row.text, blocks, row.title, document.pages)


async def save_chunks(session: AsyncSession, document: Document, whole: str, pieces: Sequence[Chunk]) -> None:
    """Store the chunks of a document's current generation, in place of existing ones."""
    await session.execute(
        delete(ChunkRow).where(
            col(ChunkRow.owner_id) == document.owner_id,
            col(ChunkRow.document_id) == document.id,
            col(ChunkRow.generation) == document.generation,
        )
    )
    for at in range(0, len(pieces), _AT_A_TIME):
        some = pieces[at : at + _AT_A_TIME]
        rows = await asyncio.to_thread(lambda some=some: [_chunk_row(document, whole, piece) for piece in some])
        await session.execute(_ADD_CHUNK, rows)


_ADD_CHUNK = text(
    """
    INSERT INTO chunk (owner_id, id, document_id, generation, collection_id, ordinal, page, heading, start, "end", tokens,
                       hash, text, lexemes)
    VALUES (:owner_id, :id, :document_id, :generation, :collection_id, :ordinal, :page, :heading, :start, :end, :tokens,
            :hash, :text, to_tsvector('rxchat', :words) || array_to_tsvector(:lexemes))
    """
).bindparams(bindparam("lexemes", type_=ARRAY(Text())))


def _chunk_row(document: Document, whole: str, piece: Chunk) -> dict[str, Any]:
    said = whole[piece.start : piece.end]
    return {
        "owner_id": document.owner_id,
        "id": new_id(),
        "document_id": document.id,
        "generation": document.generation,
        "collection_id": document.collection_id,
        "ordinal": piece.ordinal,
        "page": piece.page,
        "heading": piece.heading,
        "start": piece.start,
        "end": piece.end,
        "tokens": piece.tokens,
        "hash": hashlib.sha256(said.encode()).digest(),
        "text": said,
        **_searched(document.name, piece.heading, said),
    }


def _searched(name: str, heading: str, said: str) -> dict[str, Any]:
    made = indexed(embedded_text(name, heading, said))
    return {"words": made.words, "lexemes": list(made.lexemes)}


_INDEX_WORDS = text(
    """
    UPDATE chunk SET lexemes = to_tsvector('rxchat', :words) || array_to_tsvector(:lexemes)
     WHERE owner_id = :owner_id AND id = :id
    """
).bindparams(bindparam("lexemes", type_=ARRAY(Text())))


async def index_lexemes(session: AsyncSession, document: Document, first: int, limit: int) -> int:
    """Index the lexemes of some published chunks, from an ordinal on; return the number of chunks."""
    # Before its chunks, as everything else that changes both.
    await session.execute(
        select(col(DocumentRow.id))
        .where(col(DocumentRow.owner_id) == document.owner_id, col(DocumentRow.id) == document.id)
        .with_for_update(read=True)
    )
    found = await session.execute(
        select(col(ChunkRow.id), col(ChunkRow.heading), col(ChunkRow.text))
        .where(
            col(ChunkRow.owner_id) == document.owner_id,
            col(ChunkRow.document_id) == document.id,
            col(ChunkRow.generation) == document.published_generation,
            col(ChunkRow.ordinal) >= first,
        )
        .order_by(col(ChunkRow.ordinal))
        .limit(limit)
    )
    rows = await asyncio.to_thread(
        lambda chunks: [
            {"owner_id": document.owner_id, "id": chunk[0], **_searched(document.name, chunk[1], chunk[2])}
            for chunk in chunks
        ],
        found.all(),
    )
    if rows:
        await session.execute(_INDEX_WORDS, rows)
    return len(rows)


async def mark_lexemes_indexed(session: AsyncSession, document: Document) -> None:
    """Mark a document as indexed by the current rules, unless a new generation was published meanwhile."""
    await session.execute(
        update(DocumentRow)
        .where(
            col(DocumentRow.owner_id) == document.owner_id,
            col(DocumentRow.id) == document.id,
            col(DocumentRow.published_generation) == document.published_generation,
        )
        .values(lexeme_version=VERSION)
    )


async def count_chunks_without_vector(session: AsyncSession, document: Document, generation: int, index_id: int) -> int:
    """Return the number of chunks without a vector in an index."""
    counted = await session.execute(
        select(func.count()).select_from(ChunkRow).where(*_without_vector(document, generation, index_id))
    )
    return counted.scalar_one()


async def chunks_without_vector(
    session: AsyncSession, document: Document, generation: int, index_id: int, limit: int
) -> list[tuple[UUID, str, str]]:
    """Return chunks (ID, heading, text) without a vector in an index, in order."""
    found = await session.execute(
        select(col(ChunkRow.id), col(ChunkRow.heading), col(ChunkRow.text))
        .where(*_without_vector(document, generation, index_id))
        .order_by(col(ChunkRow.ordinal))
        .limit(limit)
    )
    return [(row[0], row[1], row[2]) for row in found]


def _without_vector(document: Document, generation: int, index_id: int) -> tuple[Any, ...]:
    made = select(col(ChunkVector.chunk_id)).where(
        col(ChunkVector.owner_id) == col(ChunkRow.owner_id),
        col(ChunkVector.chunk_id) == col(ChunkRow.id),
        col(ChunkVector.index_id) == index_id,
    )
    return (
        col(ChunkRow.owner_id) == document.owner_id,
        col(ChunkRow.document_id) == document.id,
        col(ChunkRow.generation) == generation,
        ~made.exists(),
    )


_ADD_VECTOR = text(
    """
    INSERT INTO chunk_vector (owner_id, chunk_id, index_id, document_id, collection_id, embedding)
    VALUES (:owner_id, :chunk_id, :index_id, :document_id, :collection_id, CAST(:embedding AS halfvec))
    ON CONFLICT DO NOTHING
    """
)


async def save_vectors(
    session: AsyncSession, document: Document, index_id: int, vectors: Sequence[tuple[UUID, Sequence[float]]]
) -> None:
    """Store vectors of a document's chunks."""
    rows = [
        {
            "owner_id": document.owner_id,
            "chunk_id": chunk_id,
            "index_id": index_id,
            "document_id": document.id,
            "collection_id": document.collection_id,
            "embedding": "[" + ",".join(f"{value:.6g}" for value in vector) + "]",
        }
        for chunk_id, vector in vectors
    ]
    await session.execute(_ADD_VECTOR, rows)


async def publish(session: AsyncSession, taken: ClaimedDocument, index_id: int) -> bool:
    """Publish a document's current generation, which is complete in an index, and delete the one before.

    Returns False if another job has claimed the document.
    """
    document = taken.document
    facts = {
        "published_generation": document.generation,
        "state": DocumentState.READY,
        "progress": 1.0,
        "error": "",
        "embedded_index": index_id,
        "lexeme_version": VERSION,
        "retry_at": None,
    }
    if not await advance(session, taken, **facts):
        return False
    for table in (ChunkRow, DocumentText):
        await session.execute(
            delete(table).where(
                col(table.owner_id) == document.owner_id,
                col(table.document_id) == document.id,
                col(table.generation) != document.generation,
            )
        )
    return True
