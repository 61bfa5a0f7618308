"""Queries that find passages: vectors and words in one statement, in what the acting user may read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.db.retrieval import full_text
from rxchat.domain.retrieval import (
    CANDIDATES,
    EXACT_CHUNKS,
    FUSION,
    EmbeddingIndex,
    Passage,
    SearchMode,
    SearchScope,
    distinct,
)

_WORDS_READ_THROUGH = 2_500
"""In scopes of at most so many chunks every one is looked at for words, too; in larger ones the index on words is asked."""
_ROWS_OF_WORDS = 4_000
"""The most chunks, rare words first, that a full-text search ranks."""
_COPIES = 8
"""The number of candidates for each wanted result, since duplicates of a text count once."""
_EF_SEARCH = 120
_MOST_SCANNED = 100_000

_UUIDS = ARRAY(Uuid())

# The chunks of a scope that can be found: row-level security lets through what the user may read, and a document
# counts only in the generation that is whole.
_IN_SCOPE = """
    FROM chunk JOIN document ON document.owner_id = chunk.owner_id AND document.id = chunk.document_id
                            AND document.published_generation = chunk.generation
   WHERE chunk.collection_id = ANY (:collections)
     AND (chunk.collection_id = ANY (:whole) OR chunk.document_id = ANY (:documents))
"""
_SCOPE_SIZE = text(
    """
    SELECT coalesce(sum(chunks), 0)::bigint FROM document
     WHERE collection_id = ANY (:collections) AND published_generation IS NOT NULL
       AND (collection_id = ANY (:whole) OR id = ANY (:documents))
    """
).bindparams(
    bindparam("collections", type_=_UUIDS), bindparam("whole", type_=_UUIDS), bindparam("documents", type_=_UUIDS)
)
# A document stands for its current version, whichever of them was named, and for the files that are attached to it.
_NAMED = text(
    """
    WITH RECURSIVE asked AS (
        SELECT owner_id, version_series_id FROM document WHERE id = ANY (:documents)),
    named AS (
        SELECT document.owner_id, document.id, document.collection_id
          FROM asked JOIN document ON document.owner_id = asked.owner_id
                                  AND document.version_series_id = asked.version_series_id
         WHERE document.version_state = 'current'
        UNION
        SELECT child.owner_id, child.id, child.collection_id
          FROM named JOIN document AS child ON child.owner_id = named.owner_id AND child.parent_id = named.id
         WHERE child.version_state = 'current')
    SELECT id, collection_id FROM named
    """
).bindparams(bindparam("documents", type_=_UUIDS))
# Never left to the planner: it would rather sort what it has read of all of a large scope.
_HNSW = text(
    f"SET LOCAL hnsw.iterative_scan = 'relaxed_order'; SET LOCAL hnsw.ef_search = {_EF_SEARCH};"
    f" SET LOCAL hnsw.max_scan_tuples = {_MOST_SCANNED};"
    " SET LOCAL enable_bitmapscan = off; SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off"
)
# Read through: distances and words of every chunk of the scope. Terms count by how rare they are in the scope and, with
# little gain for each repetition, how often a chunk has them (as in BM25; ts_rank of one word grows just like that); a term
# that is found only loosely (the beginning of a code, a part of a compound) by its share of that. A chunk's place among
# those counts as much as it covers the question, squared: a few common words in common must not outweigh what the vectors
# say (tests/retrieval measures it; decisions 0011 and 0013). Of chunks with the same text only the best is a candidate.
_NEAR_IN_SCOPE = """
    WITH scope AS MATERIALIZED (SELECT chunk.owner_id, chunk.id, chunk.hash {in_scope}),
    near AS MATERIALIZED (
        SELECT owner_id, id, distance, row_number() OVER (ORDER BY distance, id) AS rank FROM (
            SELECT * FROM (
                SELECT DISTINCT ON (hash) * FROM (
                    -- Plus nothing: an order that the HNSW index offers would be taken where it seems cheap, and it finds a few.
                    SELECT scope.owner_id, scope.id, scope.hash,
                           ((made.embedding::halfvec({dimensions})) <=> (:vector)::halfvec({dimensions})) + 0 AS distance
                      FROM scope JOIN chunk_vector AS made
                        ON made.owner_id = scope.owner_id AND made.chunk_id = scope.id AND made.index_id = {index}
                     ORDER BY distance, scope.id LIMIT {looked_at}) AS nearest
                 ORDER BY hash, distance, id) AS different
             ORDER BY distance, id LIMIT {candidates}) AS nearest),
"""
_TERM = """
    term AS MATERIALIZED (
        SELECT number, asked.query::tsquery AS query, share, is_optional, weight, bonus
          FROM unnest((:numbers)::integer[], (:queries)::text[], (:shares)::float8[], (:optional)::boolean[],
                      (:weights)::float8[], (:bonuses)::float8[])
            AS asked (number, query, share, is_optional, weight, bonus)),
"""
_SAID_IN_SCOPE = """
    size AS MATERIALIZED (
        SELECT count(*)::float8 AS chunks, ln(1 + (count(*) + 0.5::float8) / 0.5::float8) AS unfound FROM scope),
    hit AS MATERIALIZED (
        SELECT scope.owner_id, scope.id, scope.hash, term.number, term.share,
               ts_rank(chunk.lexemes, term.query)::float8 AS weight
          FROM scope JOIN chunk ON chunk.owner_id = scope.owner_id AND chunk.id = scope.id
          JOIN term ON chunk.lexemes @@ term.query),
    counted AS MATERIALIZED (
        SELECT number, share, ln(1 + (size.chunks - count(*) + 0.5::float8) / (count(*) + 0.5::float8)) AS rarity
          FROM hit CROSS JOIN size GROUP BY number, share, size.chunks),
    rare AS MATERIALIZED (
        SELECT number, share, term.weight * counted.rarity AS weight,
               term.bonus * share * (counted.rarity / size.unfound) ^ 2 AS bonus
          FROM counted JOIN term USING (number, share) CROSS JOIN size),
"""
_UNFOUND_IN_SCOPE = "term.weight * (SELECT unfound FROM size)"
_WEIGHED = """
    -- What a chunk has of all that was asked: terms that no chunk has count, too.
    asked AS MATERIALIZED (
        SELECT greatest(0.01::float8, sum(coalesce(found.weight, CASE WHEN term.is_optional THEN 0 ELSE {unfound} END))) AS weight
          FROM (SELECT number, bool_and(is_optional) AS is_optional, max(weight) AS weight FROM term GROUP BY number) AS term
          LEFT JOIN (SELECT DISTINCT ON (number) number, weight FROM rare ORDER BY number, share DESC) AS found USING (number)),
    said AS MATERIALIZED (
        SELECT owner_id, id, row_number() OVER (ORDER BY score DESC, id) AS rank,
               bonus + 2 * (score / (SELECT weight FROM asked)) ^ (:power)::float8 AS weight FROM (
            SELECT * FROM (
                SELECT DISTINCT ON (hash) * FROM (
                    SELECT owner_id, id, hash, sum(score) AS score, sum(bonus) AS bonus FROM (
                        SELECT hit.owner_id, hit.id, hit.hash, hit.number, max(rare.bonus) AS bonus,
                               max(rare.weight * hit.share * hit.weight / (hit.weight + 0.03::float8)) AS score
                          FROM hit JOIN rare USING (number, share)
                         GROUP BY hit.owner_id, hit.id, hit.hash, hit.number) AS part
                     GROUP BY owner_id, id, hash ORDER BY score DESC, id LIMIT {looked_at}) AS best
                 ORDER BY hash, score DESC, id) AS different
             ORDER BY score DESC, id LIMIT {candidates}) AS best)
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
# The index says which chunks have rare terms; how much each term says is known from how common it is everywhere.
_SAID_BY_INDEX = """
    hit AS MATERIALIZED (
        SELECT chunk.owner_id, chunk.id, chunk.hash, term.number, term.share, ts_rank(chunk.lexemes, term.query)::float8 AS weight
          FROM chunks_with_lexemes((:query)::tsquery, (:whole)::uuid[], (:documents)::uuid[], 2 * {candidates}) AS known
          JOIN chunk ON chunk.owner_id = known.owner_id AND chunk.id = known.id
          JOIN term ON chunk.lexemes @@ term.query),
    rare AS MATERIALIZED (
        SELECT number, share, weight, bonus * share AS bonus FROM term
         WHERE (number, share) IN (SELECT number, share FROM hit)),
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
                                  AND document.published_generation = chunk.generation
         WHERE chunk.owner_id = found.owner_id AND chunk.id = found.id
           AND document.owner_id = found.owner_id
           AND (chunk.collection_id = ANY (:whole) OR chunk.document_id = ANY (:documents))
        OFFSET 0) AS said
     ORDER BY found.score DESC, found.id LIMIT :k
"""


async def scope_size(session: AsyncSession, scope: SearchScope) -> int:
    """Return how many chunks there are to look at, of those that the acting user may read."""
    counted = await session.execute(_SCOPE_SIZE, await _places(session, scope))
    return counted.scalar_one()


async def search(
    session: AsyncSession,
    index: EmbeddingIndex | None,
    scope: SearchScope,
    question: str,
    vector: Sequence[float] | None,
    *,
    k: int,
    way: SearchMode = SearchMode.HYBRID,
    exact_chunks: int = EXACT_CHUNKS,
) -> list[Passage]:
    """Return the best k passages of a scope, by vectors and words together; without a vector by words alone.

    Passages that say nothing which a better one does not say are left out.
    """
    if scope.is_empty:
        return []
    places = await _places(session, scope)
    size = (await session.execute(_SCOPE_SIZE, places)).scalar_one()
    if not size:
        return []
    if index is None or vector is None:
        index, vector, way = EmbeddingIndex(0, "", 1, 0), [0.0], SearchMode.TEXT
    asked = await full_text.parse_query(session, question)
    values: dict[str, Any] = {**places, "vector": _written(vector), "way": way.value}
    limit, is_exact = max(CANDIDATES, k), size <= exact_chunks
    values |= {"k": 3 * k, "power": asked.power}
    while True:
        found = await _searched(session, index, values, asked, size=size, limit=limit, is_exact=is_exact)
        different = distinct(found, k)
        is_cut = len(found) == values["k"]
        is_whole = is_exact and limit * _COPIES >= size and not is_cut
        # Words alone may well be in less than k chunks: one deeper look is enough.
        if (
            len(different) >= min(k, size)
            or is_whole
            or (way is SearchMode.TEXT and not is_cut and limit > CANDIDATES + k)
        ):
            return different
        # Copies take the places, or what is far from everything in a scope lies behind all that the index looks at.
        is_exact, limit = True, limit * _COPIES
        values["k"] = limit


async def _searched(
    session: AsyncSession,
    index: EmbeddingIndex,
    values: dict[str, Any],
    asked: full_text.FullTextQuery,
    *,
    size: int,
    limit: int,
    is_exact: bool,
) -> list[Passage]:
    """Return up to so many passages of a scope of this size, read through or by the indexes."""
    if is_exact and size <= _WORDS_READ_THROUGH:
        values, said, unfound = values | asked.values(), _SAID_IN_SCOPE, _UNFOUND_IN_SCOPE
    else:
        shares = await full_text.lexeme_frequencies(session, asked)
        values = values | asked.values(shares) | {"query": asked.rare(shares, _ROWS_OF_WORDS)}
        said, unfound = _SAID_BY_INDEX, "term.weight"
    if not is_exact:
        await session.execute(_HNSW)
    # The index's number and dimensions stand in the statement itself: only so is its own HNSW index recognized.
    statement = ((_NEAR_IN_SCOPE if is_exact else _NEAR_BY_INDEX) + _TERM + said + _WEIGHED + _FUSED).format(
        in_scope=_IN_SCOPE,
        index=int(index.id),
        dimensions=int(index.dimensions),
        candidates=limit,
        looked_at=limit * _COPIES,
        unfound=unfound,
        fusion=FUSION,
    )
    return [_passage(row) for row in await session.execute(_bound(statement), values)]


async def _places(session: AsyncSession, scope: SearchScope) -> dict[str, Any]:
    """Return a scope's parameters: all collections, those searched completely, and single documents."""
    named = []
    if scope.documents:
        named = (await session.execute(_NAMED, {"documents": list(scope.documents)})).all()
    return {
        "collections": list({*scope.collections, *(row.collection_id for row in named)}),
        "whole": list(scope.collections),
        "documents": [row.id for row in named],
    }


def _bound(statement: str) -> Any:
    made = text(statement)
    kinds = {"collections": _UUIDS, "whole": _UUIDS, "documents": _UUIDS, **full_text.TYPES}
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
    scope: SearchScope,
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
     WHERE collection_id = ANY (:collections) AND published_generation IS NOT NULL
       AND (collection_id = ANY (:whole) OR id = ANY (:documents)) ORDER BY name LIMIT :limit
    """
).bindparams(
    bindparam("collections", type_=_UUIDS), bindparam("whole", type_=_UUIDS), bindparam("documents", type_=_UUIDS)
)


async def document_names(session: AsyncSession, scope: SearchScope, limit: int) -> list[str]:
    """Return what the documents of a scope are called that can be found."""
    if scope.is_empty:
        return []
    found = await session.execute(_NAMES, {**await _places(session, scope), "limit": limit})
    return list(found.scalars())
