"""Queries that find passages: vectors and words in one statement, in what the acting person may read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.domain.retrieval import CANDIDATES, EXACT_CHUNKS, FUSION, EmbedderInfo, Index, Passage, Scope, Way

_QUOTED = re.compile(r"['\\]")
_WORDS_READ_THROUGH = 2_500
"""In scopes of at most so many chunks every one is looked at for words, too; in larger ones the index on words is asked."""
_ROWS_OF_WORDS = 4_000
"""So many chunks, rare words first, are ranked when the index on words is asked."""
_EF_SEARCH = 120
_MOST_SCANNED = 100_000

_UUIDS = ARRAY(Uuid())
_TEXTS = ARRAY(Text())

# The chunks of a scope that can be found: row-level security lets through what the person may read, and a document
# counts only in the generation that is whole.
_IN_SCOPE = """
    FROM chunk JOIN document ON document.owner_id = chunk.owner_id AND document.id = chunk.document_id
                            AND document.live_generation = chunk.generation
   WHERE chunk.collection_id = ANY (:collections)
     AND (chunk.collection_id = ANY (:whole) OR chunk.document_id = ANY (:documents))
"""
_SCOPE_SIZE = text(
    """
    SELECT coalesce(sum(chunks), 0)::bigint FROM document
     WHERE collection_id = ANY (:collections) AND live_generation IS NOT NULL
       AND (collection_id = ANY (:whole) OR id = ANY (:documents))
    """
).bindparams(
    bindparam("collections", type_=_UUIDS), bindparam("whole", type_=_UUIDS), bindparam("documents", type_=_UUIDS)
)
_COLLECTIONS_OF = text("SELECT DISTINCT collection_id FROM document WHERE id = ANY (:documents)").bindparams(
    bindparam("documents", type_=_UUIDS)
)
_ABOUT_ALL = text("SELECT greatest(reltuples, 0)::float8 FROM pg_class WHERE oid = 'chunk'::regclass")
# Never left to the planner: it would rather sort what it has read of all of a large scope.
_HNSW = text(
    f"SET LOCAL hnsw.iterative_scan = 'relaxed_order'; SET LOCAL hnsw.ef_search = {_EF_SEARCH};"
    f" SET LOCAL hnsw.max_scan_tuples = {_MOST_SCANNED};"
    " SET LOCAL enable_bitmapscan = off; SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off"
)
_LEXEMES = text("SELECT tsvector_to_array(to_tsvector('rxchat', :question)) AS found")
_SHARES = text("SELECT word, share FROM common_word WHERE word = ANY (:words)").bindparams(
    bindparam("words", type_=_TEXTS)
)

# Read through: distances and words of every chunk of the scope. Words count by how rare they are in the scope and, with
# little gain for each repetition, how often a chunk has them (as in BM25; ts_rank of one word grows just like that). A
# chunk's place among those counts as much as it covers the question, squared: a few common words in common must not
# outweigh what the vectors say (tests/retrieval measures it; decision 0011).
_NEAR_IN_SCOPE = """
    WITH scope AS MATERIALIZED (SELECT chunk.owner_id, chunk.id {in_scope}),
    near AS MATERIALIZED (
        SELECT owner_id, id, distance, row_number() OVER (ORDER BY distance, id) AS rank FROM (
            SELECT scope.owner_id, scope.id,
                   (made.embedding::halfvec({dimensions})) <=> (:vector)::halfvec({dimensions}) AS distance
              FROM scope JOIN chunk_vector AS made
                ON made.owner_id = scope.owner_id AND made.chunk_id = scope.id AND made.index_id = {index}
             ORDER BY distance, scope.id LIMIT {candidates}) AS nearest),
"""
_SAID_IN_SCOPE = """
    size AS MATERIALIZED (SELECT count(*)::float8 AS chunks FROM scope),
    term AS MATERIALIZED (
        SELECT word, quoted::tsquery AS query FROM unnest((:words)::text[], (:quoted)::text[]) AS asked (word, quoted)),
    hit AS MATERIALIZED (
        SELECT scope.owner_id, scope.id, term.word, ts_rank(chunk.words, term.query)::float8 AS weight
          FROM scope JOIN chunk ON chunk.owner_id = scope.owner_id AND chunk.id = scope.id
          JOIN term ON chunk.words @@ term.query),
    rare AS MATERIALIZED (
        SELECT word, ln(1 + ((SELECT chunks FROM size) - count(*) + 0.5::float8) / (count(*) + 0.5::float8)) AS weight
          FROM hit GROUP BY word),
    -- What a chunk has of all that was asked: words that no chunk has count, too.
    asked AS MATERIALIZED (
        SELECT sum(coalesce(rare.weight, ln(1 + (size.chunks + 0.5::float8) / 0.5::float8))) AS weight
          FROM size CROSS JOIN term LEFT JOIN rare USING (word)),
    said AS MATERIALIZED (
        SELECT owner_id, id, row_number() OVER (ORDER BY score DESC, id) AS rank,
               2 * (score / (SELECT weight FROM asked)) ^ 2 AS weight FROM (
            SELECT hit.owner_id, hit.id, sum(rare.weight * hit.weight / (hit.weight + 0.03::float8)) AS score
              FROM hit JOIN rare USING (word) GROUP BY hit.owner_id, hit.id
             ORDER BY score DESC, hit.id LIMIT {candidates}) AS best)
"""
_NEAR_BY_INDEX = """
    WITH near AS MATERIALIZED (
        SELECT owner_id, id, distance, row_number() OVER (ORDER BY distance, id) AS rank FROM (
            SELECT made.owner_id, made.chunk_id AS id,
                   (made.embedding::halfvec({dimensions})) <=> (:vector)::halfvec({dimensions}) AS distance
              FROM chunk_vector AS made
             WHERE made.index_id = {index} AND made.collection_id = ANY (:collections)
               AND (made.collection_id = ANY (:whole) OR made.document_id = ANY (:documents))
             ORDER BY (made.embedding::halfvec({dimensions})) <=> (:vector)::halfvec({dimensions}) LIMIT {candidates}) AS nearest),
"""
_SAID_BY_INDEX = """
    said AS MATERIALIZED (
        SELECT owner_id, id, row_number() OVER (ORDER BY rank DESC, id) AS rank, 0.5::float8 AS weight
          FROM chunks_with_words((:query)::tsquery, (:whole)::uuid[], (:documents)::uuid[], {candidates}))
"""
_FUSED = """
    , parts AS (
        SELECT owner_id, id, 1.0::float8 / ({fusion} + rank) AS part, rank AS vector_rank, NULL::bigint AS text_rank, distance
          FROM near WHERE :way <> 'text'
        UNION ALL
        SELECT owner_id, id, weight / ({fusion} + rank), NULL, rank, NULL FROM said WHERE :way <> 'vector'),
    found AS MATERIALIZED (
        SELECT owner_id, id, sum(part) AS score, max(vector_rank) AS vector_rank, max(text_rank) AS text_rank,
               max(distance) AS distance
          FROM parts GROUP BY owner_id, id)
    SELECT found.id, found.score, found.vector_rank, found.text_rank, found.distance, found.owner_id, said.document_id,
           said.collection_id, said.heading, said.page, said.ordinal, said.start, said."end", said.tokens, said.text,
           said.hash, said.name
      FROM found CROSS JOIN LATERAL (
        SELECT chunk.*, document.name
          FROM chunk JOIN document ON document.owner_id = chunk.owner_id AND document.id = chunk.document_id
                                  AND document.live_generation = chunk.generation
         WHERE chunk.owner_id = found.owner_id AND chunk.id = found.id
           AND document.owner_id = found.owner_id
           AND (chunk.collection_id = ANY (:whole) OR chunk.document_id = ANY (:documents))
        OFFSET 0) AS said
     ORDER BY found.score DESC, found.id LIMIT :k
"""


async def scope_size(session: AsyncSession, scope: Scope) -> int:
    """Return how many chunks there are to look at, of those that the acting person may read."""
    counted = await session.execute(_SCOPE_SIZE, await _places(session, scope))
    return counted.scalar_one()


async def lexemes(session: AsyncSession, question: str) -> list[str]:
    """Return the words of a question as the index has them."""
    found = await session.execute(_LEXEMES, {"question": question})
    return list(found.scalar_one())[:40]


async def search(
    session: AsyncSession,
    index: Index | None,
    scope: Scope,
    question: str,
    vector: Sequence[float] | None,
    *,
    k: int,
    way: Way = Way.HYBRID,
    exact_chunks: int = EXACT_CHUNKS,
) -> list[Passage]:
    """Return the best k passages of a scope, by vectors and words together; without a vector by words alone."""
    if scope.is_empty:
        return []
    places = await _places(session, scope)
    size = (await session.execute(_SCOPE_SIZE, places)).scalar_one()
    if not size:
        return []
    words = await lexemes(session, question)
    if index is None or vector is None:
        index, vector, way = Index(0, "", 1, 0), [0.0], Way.TEXT
    values: dict[str, Any] = {**places, "vector": _written(vector), "k": k, "way": way.value}
    is_exact = size <= exact_chunks
    if size <= min(exact_chunks, _WORDS_READ_THROUGH):
        values |= {"words": words, "quoted": [_quoted(word) for word in words]}
        said = _SAID_IN_SCOPE
    else:
        values["query"] = await _rare_words(session, words)
        said = _SAID_BY_INDEX
    if not is_exact:
        await session.execute(_HNSW)
    # The index's number and dimensions stand in the statement itself: only so is its own HNSW index recognised.
    statement = ((_NEAR_IN_SCOPE if is_exact else _NEAR_BY_INDEX) + said + _FUSED).format(
        in_scope=_IN_SCOPE,
        index=int(index.id),
        dimensions=int(index.dimensions),
        candidates=max(CANDIDATES, k),
        fusion=FUSION,
    )
    found = [_passage(row) for row in await session.execute(_bound(statement), values)]
    if not is_exact and len(found) < min(k, size) and way is not Way.TEXT:
        # What is far from everything in a scope may lie behind all that the index looks at: then it is read through.
        return await search(session, index, scope, question, vector, k=k, way=way, exact_chunks=size)
    return found


async def _places(session: AsyncSession, scope: Scope) -> dict[str, Any]:
    """Return a scope as the statements want it: in which collections at all, which of them whole, which documents beside."""
    beside = []
    if scope.documents:
        beside = list((await session.execute(_COLLECTIONS_OF, {"documents": list(scope.documents)})).scalars())
    return {
        "collections": list({*scope.collections, *beside}),
        "whole": list(scope.collections),
        "documents": list(scope.documents),
    }


async def _rare_words(session: AsyncSession, words: Sequence[str]) -> str:
    """Return a query for large scopes: the rarest words, as many as few chunks have; all of them, when none is rare."""
    chunks = (await session.execute(_ABOUT_ALL)).scalar_one()
    shares = {row.word: row.share for row in await session.execute(_SHARES, {"words": list(words)})}
    rare, rows = [], 0.0
    for word in sorted(words, key=lambda word: shares.get(word, 0.0)):
        rows += shares.get(word, 0.0) * chunks
        if rows > _ROWS_OF_WORDS:
            break
        rare.append(word)
    return (" | " if rare else " & ").join(_quoted(word) for word in rare or words)


def _quoted(word: str) -> str:
    """Return a word as a query for just this word, whatever is in it."""
    return "'" + _QUOTED.sub(r"\g<0>\g<0>", word) + "'"


def _bound(statement: str) -> Any:
    made = text(statement)
    kinds = {"collections": _UUIDS, "whole": _UUIDS, "documents": _UUIDS, "words": _TEXTS, "quoted": _TEXTS}
    return made.bindparams(*(bindparam(name, type_=kind) for name, kind in kinds.items() if f":{name}" in statement))


def _written(vector: Sequence[float]) -> str:
    return "[" + ",".join(f"{value:.6g}" for value in vector) + "]"


def _passage(row: Any) -> Passage:
    return Passage(
        chunk_id=row.id,
        document_id=row.document_id,
        document_owner_id=row.owner_id,
        collection_id=row.collection_id,
        name=row.name,
        heading=row.heading,
        page=row.page,
        ordinal=row.ordinal,
        start=row.start,
        end=row.end,
        tokens=row.tokens,
        text=row.text,
        hash=row.hash,
        score=float(row.score),
        vector_rank=row.vector_rank,
        text_rank=row.text_rank,
        distance=None if row.distance is None else float(row.distance),
    )


_NEIGHBOURS = text(
    f"""
    SELECT chunk.id, chunk.owner_id, chunk.document_id, chunk.collection_id, chunk.heading, chunk.page, chunk.ordinal,
           chunk.start, chunk."end", chunk.tokens, chunk.text, chunk.hash, document.name, 0.0 AS score,
           NULL::bigint AS vector_rank, NULL::bigint AS text_rank, NULL::float8 AS distance
    {_IN_SCOPE} AND (:document::uuid IS NULL OR chunk.document_id = :document) AND chunk.ordinal BETWEEN :first AND :last
     ORDER BY document.name, chunk.document_id, chunk.ordinal LIMIT :limit
    """.replace(":document::uuid", "CAST(:document AS uuid)")
).bindparams(
    bindparam("collections", type_=_UUIDS),
    bindparam("whole", type_=_UUIDS),
    bindparam("documents", type_=_UUIDS),
    bindparam("document", type_=Uuid()),
)


async def passages(
    session: AsyncSession,
    scope: Scope,
    *,
    document_id: UUID | None = None,
    first: int = 0,
    last: int = 2**31 - 1,
    limit: int,
) -> list[Passage]:
    """Return passages of a scope as they stand in their documents: all, or those of one document from one to another."""
    if scope.is_empty:
        return []
    places = await _places(session, scope)
    found = await session.execute(
        _NEIGHBOURS, {**places, "document": document_id, "first": first, "last": last, "limit": limit}
    )
    return [_passage(row) for row in found]


_ORDINAL = text("SELECT ordinal FROM chunk WHERE owner_id = :owner AND id = :chunk")


async def ordinal_of(session: AsyncSession, owner_id: UUID, chunk_id: UUID) -> int | None:
    """Return the place of a chunk in its document; None when it is not there, or may not be read."""
    return (await session.execute(_ORDINAL, {"owner": owner_id, "chunk": chunk_id})).scalar_one_or_none()


_NAMES = text(
    """
    SELECT DISTINCT name FROM document
     WHERE collection_id = ANY (:collections) AND live_generation IS NOT NULL
       AND (collection_id = ANY (:whole) OR id = ANY (:documents)) ORDER BY name LIMIT :limit
    """
).bindparams(
    bindparam("collections", type_=_UUIDS), bindparam("whole", type_=_UUIDS), bindparam("documents", type_=_UUIDS)
)


async def document_names(session: AsyncSession, scope: Scope, limit: int) -> list[str]:
    """Return what the documents of a scope are called that can be found."""
    if scope.is_empty:
        return []
    found = await session.execute(_NAMES, {**await _places(session, scope), "limit": limit})
    return list(found.scalars())


_INDEXES = text(
    "SELECT id, model, dimensions, max_tokens, state, query_prefix, document_prefix"
    " FROM embedding_index WHERE state IN ('active', 'building')"
)
_UNHURRIED = text("SET LOCAL statement_timeout = 0")
_OPEN_INDEX = text(
    "SELECT id, state FROM open_vector_index(:model, :dimensions, :max_tokens, :query_prefix, :document_prefix)"
)


async def indexes(session: AsyncSession) -> list[Index]:
    """Return the index that is in force, and one that is being built."""
    found = await session.execute(_INDEXES)
    return [
        Index(
            row.id, row.model, row.dimensions, row.max_tokens, row.state == "active",
            row.query_prefix, row.document_prefix,
        )
        for row in found
    ]  # fmt: skip


async def open_index(session: AsyncSession, by: EmbedderInfo) -> Index:
    """Return the index of a model's vectors, making it when it is new; that looks at all there are."""
    await session.execute(_UNHURRIED)
    row = (await session.execute(_OPEN_INDEX, asdict(by))).one()
    is_active = row.state == "active"
    return Index(row.id, by.model, by.dimensions, by.max_tokens, is_active, by.query_prefix, by.document_prefix)


async def activate_index(session: AsyncSession, index_id: int) -> bool:
    """Put an index in force when it is complete; False as long as it is not."""
    await session.execute(_UNHURRIED)
    return (await session.execute(text("SELECT activate_embedding_index(:index)"), {"index": index_id})).scalar_one()


async def retire_others(session: AsyncSession, index_id: int) -> bool:
    """Let go of indexes that are being made while this one is in force and wanted; False when there are none."""
    return (await session.execute(text("SELECT retire_other_indexes(:index)"), {"index": index_id})).scalar_one()


async def forget_retired(session: AsyncSession, limit: int) -> bool:
    """Delete some vectors of indexes that are not in force any more; False when there is nothing to do."""
    return (await session.execute(text("SELECT forget_retired_vectors(:limit)"), {"limit": limit})).scalar_one()


async def to_embed(session: AsyncSession, index_id: int, limit: int) -> list[tuple[UUID, UUID]]:
    """Return owners and ids of documents that have chunks without a vector in an index."""
    statement = text("SELECT owner_id, id FROM documents_to_embed(:index, :limit)")
    return [(row[0], row[1]) for row in await session.execute(statement, {"index": index_id, "limit": limit})]


async def count_common_words(session: AsyncSession) -> int:
    """Count anew which words stand in many chunks; return how many there are."""
    await session.execute(_UNHURRIED)
    return (await session.execute(text("SELECT count_common_words()"))).scalar_one()
