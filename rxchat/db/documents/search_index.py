"""Queries that maintain the search index: vectors of each embedding model, and lexemes of documents."""

from __future__ import annotations

from dataclasses import asdict
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.domain.retrieval import EmbedderInfo, EmbeddingIndex

_INDEXES = text(
    "SELECT id, model, dimensions, max_tokens, state, query_prefix, document_prefix"
    " FROM embedding_index WHERE state IN ('active', 'building')"
)
_UNHURRIED = text("SET LOCAL statement_timeout = 0")
_OPEN_INDEX = text(
    "SELECT id, state FROM get_or_create_embedding_index(:model, :dimensions, :max_tokens, :query_prefix, :document_prefix)"
)


async def indexes(session: AsyncSession) -> list[EmbeddingIndex]:
    """Return the active index, and one that is being built."""
    found = await session.execute(_INDEXES)
    return [
        EmbeddingIndex(
            row.id, row.model, row.dimensions, row.max_tokens, row.state == "active",
            row.query_prefix, row.document_prefix,
        )
        for row in found
    ]  # fmt: skip


async def get_or_create_index(session: AsyncSession, by: EmbedderInfo) -> EmbeddingIndex:
    """Return the index of a model's vectors; creates it if it does not exist, which scans all vectors."""
    await session.execute(_UNHURRIED)
    row = (await session.execute(_OPEN_INDEX, asdict(by))).one()
    is_active = row.state == "active"
    return EmbeddingIndex(
        row.id, by.model, by.dimensions, by.max_tokens, is_active, by.query_prefix, by.document_prefix
    )


async def activate_index(session: AsyncSession, index_id: int) -> bool:
    """Activate an index if it is complete; False if it is not."""
    await session.execute(_UNHURRIED)
    return (await session.execute(text("SELECT activate_embedding_index(:index)"), {"index": index_id})).scalar_one()


async def retire_others(session: AsyncSession, index_id: int) -> bool:
    """Retire indexes that are being built while this one is active and wanted; False if there are none."""
    return (await session.execute(text("SELECT retire_other_indexes(:index)"), {"index": index_id})).scalar_one()


async def purge_retired_vectors(session: AsyncSession, limit: int) -> bool:
    """Delete some vectors of retired indexes; False if none are left."""
    return (await session.execute(text("SELECT purge_retired_vectors(:limit)"), {"limit": limit})).scalar_one()


# Not "<>", which cannot use an index. Documents that failed recently are skipped until `retry_at`.
_TO_EMBED = text(
    """
    SELECT owner_id, id FROM published_document
     WHERE state IN ('ready', 'failed')
       AND (embedded_index IS NULL OR embedded_index < :index OR embedded_index > :index)
       AND (retry_at IS NULL OR retry_at < now())
     ORDER BY coalesce(retry_at, created_at) LIMIT :limit
    """
)
_TO_REINDEX = text(
    "SELECT owner_id, id FROM published_document WHERE lexeme_version < :version ORDER BY lexeme_version LIMIT :limit"
)


async def documents_to_embed(session: AsyncSession, index_id: int, limit: int) -> list[tuple[UUID, UUID]]:
    """Return owners and IDs of documents with chunks that have no vector in an index."""
    return [(row[0], row[1]) for row in await session.execute(_TO_EMBED, {"index": index_id, "limit": limit})]


async def documents_to_reindex(session: AsyncSession, version: int, limit: int) -> list[tuple[UUID, UUID]]:
    """Return owners and IDs of documents whose lexemes were indexed by rules older than this version."""
    return [(row[0], row[1]) for row in await session.execute(_TO_REINDEX, {"version": version, "limit": limit})]


async def update_frequent_lexemes(session: AsyncSession) -> int:
    """Recompute the lexemes that occur in many chunks; return their number."""
    await session.execute(_UNHURRIED)
    return (await session.execute(text("SELECT update_frequent_lexemes()"))).scalar_one()
