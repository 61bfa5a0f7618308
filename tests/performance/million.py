"""A million chunks of a thousand owners in the embedded Postgres: built once, and searched as answers do it.

The vectors are synthetic and clustered, as those of texts are: each is near one of 4,000 centres, and every owner's chunks
come from forty of them. Words follow Zipf's law. One collection of each owner is private; a few are shared with everybody,
so that there are scopes of one, ten and a hundred percent.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
import psycopg
from pgvector import HalfVector
from pgvector.psycopg import register_vector

from rxchat.db.platform.database import Database
from rxchat.db.retrieval import search as rows
from rxchat.domain.ids import new_id
from rxchat.domain.retrieval import EmbeddingIndex, Passage, SearchMode, SearchScope

DIMENSIONS = 384
_CENTRES = 4_000
_CENTRES_OF_ONE = 40
_NOISE = 0.6
_WORDS_OF_ALL = 20_000
_WORDS_OF_ONE = 60
_DOCUMENTS_OF_ONE = 20
MODEL = "synthetic"


@dataclass(slots=True)
class Corpus:
    """What was built, and how long that took."""

    owners: list[UUID]
    collections: list[UUID]
    index: EmbeddingIndex
    chunks: int
    load_seconds: float = 0.0
    index_seconds: float = 0.0
    bytes_of_all: int = 0
    bytes_of_index: int = 0
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(7))
    centres: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))

    def question(self, owner: int) -> tuple[str, list[float]]:
        """Return words and a vector like those of a question about these chunks."""
        centre = self.centres[_centre_of(owner, int(self.random.integers(_CENTRES_OF_ONE)))]
        words = " ".join(_word(int(rank)) for rank in _ranks(self.random, 6))
        return words, _near(self.random, centre[None, :])[0].tolist()


def _centre_of(owner: int, number: int) -> int:
    return (owner * 97 + number * 31) % _CENTRES


def _near(random: np.random.Generator, centres: np.ndarray) -> np.ndarray:
    noise = random.standard_normal(centres.shape, dtype=np.float32) * (_NOISE / np.sqrt(DIMENSIONS))
    vectors = centres + noise
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _ranks(random: np.random.Generator, count: int) -> np.ndarray:
    return np.minimum(random.zipf(1.2, count), _WORDS_OF_ALL)


def _word(rank: int) -> str:
    """Return the word of a rank: pronounceable, and the stemmer leaves it alone."""
    syllables = "bakodimuzelopirasitunovegafu"
    letters, number = "", rank
    while number or not letters:
        number, digit = divmod(number, 14)
        letters += syllables[2 * digit : 2 * digit + 2]
    return f"{letters}x"


def build(owner_url: str, owners: int, chunks_of_one: int, say: object = print) -> Corpus:
    """Write everything as the database's owner, the index last, as a restored backup would."""
    random = np.random.default_rng(11)
    centres = random.standard_normal((_CENTRES, DIMENSIONS), dtype=np.float32)
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    with psycopg.connect(owner_url) as connection:
        register_vector(connection)
        index_id = _new_index(connection)
        corpus = Corpus(
            [], [], EmbeddingIndex(index_id, MODEL, DIMENSIONS, 256), owners * chunks_of_one, centres=centres
        )
        begin = time.perf_counter()
        for number in range(owners):
            _write_owner(connection, corpus, number, chunks_of_one, random)
        connection.commit()
        corpus.load_seconds = time.perf_counter() - begin
        begin = time.perf_counter()
        connection.execute("SET maintenance_work_mem = '3GB'; SET max_parallel_maintenance_workers = 1")
        connection.execute(
            f"CREATE INDEX ix_chunk_vector_hnsw_{index_id} ON chunk_vector"  # pyright: ignore[reportCallIssue, reportArgumentType]
            f" USING hnsw ((embedding::halfvec({DIMENSIONS})) halfvec_cosine_ops) WHERE index_id = {index_id}"
        )
        connection.commit()
        corpus.index_seconds = time.perf_counter() - begin
        connection.execute("UPDATE document SET embedded_index = %s", (index_id,))
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE chunk, chunk_vector, document")
        connection.execute("SELECT update_frequent_lexemes()")
        corpus.bytes_of_all = _size(
            connection, "pg_total_relation_size('chunk') + pg_total_relation_size('chunk_vector')"
        )
        corpus.bytes_of_index = _size(connection, f"pg_relation_size('ix_chunk_vector_hnsw_{index_id}')")
    return corpus


def _new_index(connection: psycopg.Connection) -> int:
    connection.execute("DELETE FROM embedding_index")
    found = connection.execute(
        "SELECT id FROM get_or_create_embedding_index(%s, %s, 256, '', '')", (MODEL, DIMENSIONS)
    ).fetchone()
    assert found
    # Filled first, built afterwards: many times faster.
    connection.execute(f"DROP INDEX ix_chunk_vector_hnsw_{found[0]}")  # pyright: ignore[reportCallIssue, reportArgumentType]
    return found[0]


def _size(connection: psycopg.Connection, expression: str) -> int:
    found = connection.execute(f"SELECT {expression}").fetchone()  # pyright: ignore[reportCallIssue, reportArgumentType]
    assert found
    return int(found[0])


def _write_owner(
    connection: psycopg.Connection, corpus: Corpus, number: int, chunks: int, random: np.random.Generator
) -> None:
    owner, collection, file = new_id(), new_id(), new_id()
    corpus.owners.append(owner)
    corpus.collections.append(collection)
    connection.execute(
        "INSERT INTO user_account (id, email, name, role, email_confirmed_at) VALUES (%s, %s, 'Bench', 'member', now())",
        (owner, f"{owner.hex}@example.org"),
    )
    connection.execute(
        "INSERT INTO collection (owner_id, id, kind, name, description) VALUES (%s, %s, 'library', 'Bench', '')",
        (owner, collection),
    )
    connection.execute(
        "INSERT INTO stored_file (owner_id, id, size_bytes, key_id, wrapped_key) VALUES (%s, %s, 1, '', '')",
        (owner, file),
    )
    documents = [new_id() for _ in range(_DOCUMENTS_OF_ONE)]
    each = chunks // _DOCUMENTS_OF_ONE
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO document (owner_id, id, collection_id, file_id, name, media_type, size_bytes, state, chunks,"
            " published_generation) VALUES (%s, %s, %s, %s, 'bench.txt', 'text/plain', 1, 'ready', %s, 1)",
            [(owner, document, collection, file, each) for document in documents],
        )
    chosen = random.integers(_CENTRES_OF_ONE, size=chunks)
    vectors = _near(random, corpus.centres[[_centre_of(number, int(one)) for one in chosen]])
    ids = [new_id() for _ in range(chunks)]
    _copy_chunks(connection, owner, collection, documents, ids, random)
    # COPY does not go into tables with row-level security, not even for their owner.
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS meant (id uuid, document_id uuid, embedding halfvec)")
    connection.execute("TRUNCATE meant")
    with connection.cursor().copy("COPY meant FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(["uuid", "uuid", "halfvec"])
        for place, (chunk, vector) in enumerate(zip(ids, vectors, strict=True)):
            document = documents[place * _DOCUMENTS_OF_ONE // chunks]
            copy.write_row((chunk, document, HalfVector(vector.astype(np.float16))))
    connection.execute(
        "INSERT INTO chunk_vector (owner_id, chunk_id, index_id, document_id, collection_id, embedding)"
        " SELECT %s, id, %s, document_id, %s, embedding FROM meant",
        (owner, corpus.index.id, collection),
    )


def _copy_chunks(
    connection: psycopg.Connection, owner: UUID, collection: UUID, documents: list[UUID], ids: list[UUID],
    random: np.random.Generator,
) -> None:  # fmt: skip
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS said (id uuid, document_id uuid, ordinal integer, text text)")
    connection.execute("TRUNCATE said")
    texts = _texts(random, len(ids))
    with connection.cursor().copy("COPY said FROM STDIN") as copy:
        for place, chunk in enumerate(ids):
            copy.write_row((chunk, documents[place * _DOCUMENTS_OF_ONE // len(ids)], place, next(texts)))
    connection.execute(
        'INSERT INTO chunk (owner_id, id, document_id, generation, collection_id, ordinal, page, heading, start, "end",'
        " tokens, hash, text, lexemes) SELECT %s, id, document_id, 1, %s, ordinal, 0, '', 0, length(text), 80, sha256(convert_to(text, 'UTF8')), text,"
        " to_tsvector('rxchat', text) FROM said",
        (owner, collection),
    )


def _texts(random: np.random.Generator, count: int) -> Iterator[str]:
    ranks = _ranks(random, count * _WORDS_OF_ONE).reshape(count, _WORDS_OF_ONE)
    for line in ranks:
        yield " ".join(_word(int(rank)) for rank in line)


def share(owner_url: str, corpus: Corpus, reader: UUID, count: int) -> None:
    """Give a user grants to read the first collections, and no others."""
    with psycopg.connect(owner_url) as connection:
        connection.execute("DELETE FROM access_grant WHERE principal = %s", (str(reader),))
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO access_grant (id, principal_kind, principal, resource_kind, resource, action)"
                " VALUES (%s, 'user', %s, 'collection', %s, 'read')",
                [(new_id(), str(reader), str(one)) for one in corpus.collections[:count]],
            )


async def searched(
    database: Database, corpus: Corpus, reader: UUID, scope: SearchScope, asked: tuple[str, list[float]], *,
    k: int = 10, way: SearchMode = SearchMode.HYBRID, exact_chunks: int | None = None,
) -> tuple[list[Passage], float]:  # fmt: skip
    """Return what is found, and how many milliseconds that took, the transaction included."""
    options = {} if exact_chunks is None else {"exact_chunks": exact_chunks}
    begin = time.perf_counter()
    async with database.begin(reader) as session:
        found = await rows.search(session, corpus.index, scope, asked[0], asked[1], k=k, way=way, **options)
    return found, (time.perf_counter() - begin) * 1000


async def times(
    database: Database, corpus: Corpus, count: int, reader: UUID | None, collections: int, *, warm: int = 20
) -> list[float]:
    """Return how many milliseconds each of so many searches takes: in one's own collection, or in those that are shared."""
    taken: list[float] = []
    for number in range(count + warm):
        owner = int(corpus.random.integers(len(corpus.owners) if reader is None else collections))
        chosen = corpus.collections[owner : owner + 1] if reader is None else corpus.collections[:collections]
        acting = corpus.owners[owner] if reader is None else reader
        _, took = await searched(database, corpus, acting, SearchScope(tuple(chosen)), corpus.question(owner))
        if number >= warm:
            taken.append(took)
        await asyncio.sleep(0)
    return taken


async def recall(database: Database, corpus: Corpus, reader: UUID, collections: int, count: int, k: int = 10) -> float:
    """Return which share of the k nearest the search of a scope finds; reading all of it through says which they are."""
    scope, found, nearest = SearchScope(tuple(corpus.collections[:collections])), 0, 0
    for _ in range(count):
        asked = corpus.question(int(corpus.random.integers(collections)))
        wanted, _ = await searched(
            database, corpus, reader, scope, asked, k=k, way=SearchMode.VECTOR, exact_chunks=10**9
        )
        got, _ = await searched(database, corpus, reader, scope, asked, k=k, way=SearchMode.VECTOR)
        assert len(got) == k, f"{len(got)} of {k} in a scope of {collections} collections"
        nearest += len(wanted)
        found += len({item.chunk_id for item in wanted} & {item.chunk_id for item in got})
    return found / nearest
