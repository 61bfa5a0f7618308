"""Documents as they come in: a megabyte of text, a PDF of a hundred pages, a thousand uploads; and a million chunks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import httpx

from rxchat.adapters.embedders.ollama import OllamaEmbeddingModel
from rxchat.adapters.parsing import SandboxedParser
from rxchat.connections import connections
from rxchat.db.platform.database import Database
from rxchat.domain.retrieval import embedded_text
from tests.factories import add_user
from tests.parsers import samples
from tests.performance import million
from tests.performance.figures import Figure, median, percentile, spread
from tests.performance.processes import memory_megabytes
from tests.performance.seeding import add_person
from tests.performance.stage import Stage, rxchat_up, settings_of

_UPLOADS = 1_000
_AT_ONCE = 8
_SETTLE_SECONDS = 10.0
_PARSES = 3
_OWNERS, _CHUNKS_OF_ONE = 1_000, 1_000
_SEARCHES = 300


def megabyte() -> str:
    """Return a megabyte of prose, every paragraph with a number of its own."""
    words = "The keeper of the lighthouse writes the weather into the log book every evening before supper, and reads it again. "
    parts = [
        f"## Part {number}\n\n{words * 6}It is number {number}." for number in range(1_000_000 // (len(words) * 6 + 40))
    ]
    return "# A long book\n\n" + "\n\n".join(parts)


async def document_figures(stage: Stage, say: Callable[[str], None]) -> list[Figure]:
    """Measure what a running RxChat does with files."""
    say("documents: a megabyte of text, with the scripted embedder")
    person = add_person(stage.at)
    headers, cookies = {"origin": stage.url}, {"rxchat_session": person.cookie}
    async with httpx.AsyncClient(
        base_url=stage.url, headers=headers, cookies=cookies, timeout=120, trust_env=False
    ) as client:
        collection = (await client.post("/api/collections", json={"name": "Measured"})).json()["id"]
        took, chunks, embedding = await _ready(stage, client, collection)
        figures = [
            Figure(
                "1 MB of text, from its last byte to ready",
                "≤ 15 s more than the embedder",
                f"{took:.1f} s ({chunks} chunks)",
                f"{embedding:.1f} s (the embedder alone)",
            ),
            await _parsing(),
        ]
        say(f"documents: {_UPLOADS} uploads")
        figures.append(await _uploads(stage, client, collection))
    return figures


async def _ready(stage: Stage, client: httpx.AsyncClient, collection: str) -> tuple[float, int, float]:
    data = megabyte().encode()
    document = await _upload(client, collection, "book.md", data)
    began = time.perf_counter()
    while True:
        [shown] = [
            item
            for item in (await client.get(f"/api/collections/{collection}/documents")).json()
            if item["id"] == document
        ]
        if shown["state"] in {"ready", "failed"}:
            break
        await asyncio.sleep(0.1)
    assert shown["state"] == "ready", shown["error"]
    took = time.perf_counter() - began
    return took, shown["chunks"], await _embedder_alone(stage, client, document)


async def _embedder_alone(stage: Stage, client: httpx.AsyncClient, document: str) -> float:
    """Return the time of the embedding server for the same texts and requests without other load."""
    texts, first = [], 0
    while passages := (
        await client.get(f"/api/documents/{document}/chunks", params={"first": first, "limit": 200})
    ).json():
        texts += [embedded_text(item["name"], item["heading"], item["text"]) for item in passages]
        first += len(passages)
    embedder = OllamaEmbeddingModel([stage.ollama])
    info = await embedder.info()
    began = time.perf_counter()
    for at in range(0, len(texts), 16):
        await embedder.embed(texts[at : at + 16], info)
    await embedder.aclose()
    return time.perf_counter() - began


async def _upload(client: httpx.AsyncClient, collection: str, name: str, data: bytes) -> str:
    answer = await client.post("/api/files", params={"name": name, "collection": collection}, content=data)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def _parsing() -> Figure:
    data, taken = samples.pdf(*(samples.report_page(number) for number in range(100))), []
    for _ in range(_PARSES):
        began = time.perf_counter()
        parsed = await SandboxedParser().parse("book.pdf", "application/pdf", _pieces(data))
        taken.append(time.perf_counter() - began)
        assert parsed.pages == 100
    return Figure("a PDF of 100 pages, read in its child process", "≤ 10 s", f"{median(taken):.2f} s")


async def _pieces(data: bytes) -> AsyncGenerator[bytes]:
    yield data


async def _uploads(stage: Stage, client: httpx.AsyncClient, collection: str) -> Figure:
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(number: int) -> None:
        async with turns:
            await _upload(client, collection, f"{number}.txt", f"Upload {number}. ".encode() * 6_000)

    # The first ones load what is loaded once.
    await asyncio.gather(*(one(-1 - number) for number in range(50)))
    await asyncio.sleep(_SETTLE_SECONDS)
    before = _memory(stage)
    began = time.perf_counter()
    await asyncio.gather(*(one(number) for number in range(_UPLOADS)))
    took = time.perf_counter() - began
    await _all_read(client, collection)
    await asyncio.sleep(_SETTLE_SECONDS)
    return Figure(
        f"memory of the web process after {_UPLOADS:,} uploads of 100 kB, and reading them",
        "≤ 10 MB more",
        f"{_memory(stage) - before:+.1f} MB PSS ({_UPLOADS / took:.0f} uploads/s)",
    )


def _memory(stage: Stage) -> float:
    return sum(memory_megabytes(pid)[0] for pid in stage.web)


async def _all_read(client: httpx.AsyncClient, collection: str) -> None:
    while True:
        shown = (await client.get(f"/api/collections/{collection}/documents")).json()
        if all(item["state"] in {"ready", "failed"} for item in shown):
            return
        await asyncio.sleep(2)


async def million_figures(folder: Path, say: Callable[[str], None]) -> list[Figure]:
    """Build a million chunks in an embedded Postgres of their own (a quarter of an hour), and search them."""
    data = folder / "million"
    async with rxchat_up(data, ollama="http://127.0.0.1:9"):
        at = connections(settings_of(data, "http://127.0.0.1:9"))
        say("a million chunks: building")
        corpus = await asyncio.to_thread(million.build, at.database_owner_url, _OWNERS, _CHUNKS_OF_ONE)
        figures = [
            Figure(
                f"{corpus.chunks:,} chunks of {_OWNERS:,} owners: written, indexed; size, of which HNSW",
                "",
                f"{corpus.load_seconds:.0f} s, {corpus.index_seconds:.0f} s; {corpus.bytes_of_all / 1e9:.1f} GB,"
                f" {corpus.bytes_of_index / 1e9:.1f} GB",
            )
        ]
        reader, database = add_user(at.database_owner_url).user_id, Database(at.database_url)
        say("a million chunks: searching")
        own = await million.times(database, corpus, _SEARCHES, None, 1)
        figures.append(
            Figure(
                "search in one's own 1,000 of them, p95",
                "≤ 50 ms",
                f"{percentile(own, 0.95):.0f} ms ({spread(own, 'ms')})",
            )
        )
        for share in (1, 10, 100):
            count = _OWNERS * share // 100
            million.share(at.database_owner_url, corpus, reader, count)
            taken = await million.times(database, corpus, _SEARCHES // 5, reader, count)
            near = await million.recall(database, corpus, reader, count, 20)
            figures.append(
                Figure(f"search in {share} % of them, and recall@10", "", f"{spread(taken, 'ms')}; {near:.2f}")
            )
        await database.aclose()
        return figures
