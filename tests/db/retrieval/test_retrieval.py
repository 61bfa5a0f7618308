"""Searching in scopes: k results whenever there are k, near what reading everything through finds, and in one's own alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from uuid import UUID

import pytest

from rxchat.db.platform.database import Database
from rxchat.db.retrieval import search as rows
from rxchat.domain.retrieval import SearchMode, SearchScope
from tests.conftest import empty
from tests.factories import add_user
from tests.performance import million

pytestmark = pytest.mark.anyio

OWNERS, CHUNKS_OF_ONE = 100, 60
K = 10
NEVER = 0
"""Even the smallest scope is then too large to be read through."""


@pytest.fixture(scope="module")
def corpus(servers, database_url: str):
    assert database_url
    owner_url = servers.database_owner_url
    yield million.build(owner_url, OWNERS, CHUNKS_OF_ONE)
    empty(owner_url)


@pytest.fixture(scope="module")
def reader(servers, corpus) -> UUID:
    reader = add_user(servers.database_owner_url, "Reader").user_id
    million.share(servers.database_owner_url, corpus, reader, OWNERS)
    return reader


@pytest.fixture
async def pool(database_url: str) -> AsyncGenerator[Database]:
    found = Database(database_url)
    yield found
    await found.aclose()


@pytest.mark.parametrize("share", [1, 10, 100])
async def test_a_scope_of_any_share_gives_k_results_near_the_exact_ones(
    pool: Database, corpus: million.Corpus, reader: UUID, share: int
) -> None:
    """`WHERE owner = x` over an HNSW index gives 0.3 of 10 when the planner has its way (design/embedded.md)."""
    scope, same = SearchScope(tuple(corpus.collections[:share])), 0
    asked = [corpus.question(number % share) for number in range(20)]
    for question in asked:
        exact, _ = await million.searched(pool, corpus, reader, scope, question, k=K, way=SearchMode.VECTOR)
        by_index, _ = await million.searched(
            pool, corpus, reader, scope, question, k=K, way=SearchMode.VECTOR, exact_chunks=NEVER
        )
        assert len(exact) == len(by_index) == K
        same += len({item.chunk_id for item in exact} & {item.chunk_id for item in by_index})
    assert same / (K * len(asked)) >= 0.95


async def test_a_small_scope_is_read_through_and_a_large_one_is_not(
    pool: Database, corpus: million.Corpus, reader: UUID
) -> None:
    async with pool.begin(reader) as session:
        assert await rows.scope_size(session, SearchScope(tuple(corpus.collections[:1]))) == CHUNKS_OF_ONE
        assert await rows.scope_size(session, SearchScope(tuple(corpus.collections))) == OWNERS * CHUNKS_OF_ONE


@pytest.mark.parametrize("exact_chunks", [NEVER, 10**9])
@pytest.mark.parametrize("way", SearchMode)
async def test_nothing_is_found_of_what_is_somebody_elses(
    pool: Database, corpus: million.Corpus, way: SearchMode, exact_chunks: int
) -> None:
    mine, everything = corpus.owners[3], SearchScope(tuple(corpus.collections))
    found, _ = await million.searched(
        pool, corpus, mine, everything, corpus.question(3), k=50, way=way, exact_chunks=exact_chunks
    )
    assert {item.document_owner_id for item in found} <= {mine}
    assert len(found) == 50 or way is SearchMode.TEXT


async def test_single_documents_are_a_scope_too(pool: Database, corpus: million.Corpus, reader: UUID) -> None:
    async with pool.begin(reader) as session:
        [first, *_] = await rows.passages(session, SearchScope(tuple(corpus.collections[:1])), limit=1)
    scope = SearchScope(documents=(first.document_id,))
    for exact_chunks in (NEVER, 10**9):
        found, _ = await million.searched(
            pool, corpus, reader, scope, corpus.question(0), k=3, exact_chunks=exact_chunks
        )
        assert len(found) == 3
        assert {item.document_id for item in found} == {first.document_id}


@pytest.mark.parametrize(
    "question",
    [
        "'); DROP TABLE chunk; --",
        "a & b | !c <-> d:*",
        "\\",
        "''",
        "% _ $1 :name",
        "\U0001f600",
        "x" * 5_000,
        "ba ' ko \\' di",
    ],
)
async def test_whatever_is_asked_is_only_words(
    pool: Database, corpus: million.Corpus, reader: UUID, question: str
) -> None:
    for exact_chunks in (NEVER, 10**9):
        found, _ = await million.searched(
            pool, corpus, reader, SearchScope(tuple(corpus.collections[:2])), (question, corpus.question(0)[1]), k=5,
            exact_chunks=exact_chunks,
        )  # fmt: skip
        assert len(found) == 5


async def test_many_ask_at_once(pool: Database, corpus: million.Corpus, reader: UUID) -> None:
    scope = SearchScope(tuple(corpus.collections[:5]))
    asked = [million.searched(pool, corpus, reader, scope, corpus.question(number % 5), k=K) for number in range(40)]
    assert {len(found) for found, _ in await asyncio.gather(*asked)} == {K}
