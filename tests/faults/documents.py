"""Faults during uploads and ingestion: every acknowledged upload ends ready or failed, exactly once.

Users upload files in two parts and retry until they succeed, as browsers do; in the middle, a fault is injected. In the
end, each acknowledged document exists once, and is found by its unique word or failed with a reason; after garbage
collection, the file store contains exactly the objects that the database refers to.

Run alone: python -m tests.faults.documents [--rounds 20] [NAME ...]
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import os
import random
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

import httpx
import psycopg

from rxchat.db.platform.database import Database
from rxchat.services.documents.storage_gc import StorageGarbageCollector
from tests.faults.cluster import BUCKET, Cluster, opened
from tests.peers.swift import swift_s3
from tests.performance.seeding import add_person

FILES = 12
_PATIENCE_SECONDS = 150.0
_AGAIN_SECONDS = 0.1
_PASSING = {429, 500, 502, 503, 504, 507}
Fault = Callable[[Cluster, random.Random], Awaitable[None]]


@dataclass
class Told:
    """The responses that an uploader received."""

    acknowledged: dict[str, str] = field(default_factory=dict)
    """The unique word of each document, by the document's ID."""
    broken: set[str] = field(default_factory=set)
    """The documents that cannot be parsed."""


def text_of(word: str, rng: random.Random) -> bytes:
    """Return a file of about twenty chunks that contains a unique word."""
    lines = [
        f"Part {number} tells about {word} and {rng.randrange(10**9)} other things of no importance."
        for number in range(250)
    ]
    return ("# About " + word + "\n\n" + "\n\n".join(lines)).encode()


class Uploader:
    """A user who uploads files over connections that may break."""

    def __init__(self, cluster: Cluster) -> None:
        """Sign in."""
        person = add_person(cluster.at)
        self.user_id = person.user_id
        self.told = Told()
        self._client = httpx.AsyncClient(
            base_url=cluster.url,
            headers={"origin": cluster.url},
            cookies={"rxchat_session": person.cookie},
            timeout=20,
            trust_env=False,
        )

    async def ask(self, method: str, path: str, **more: object) -> httpx.Response:
        """Repeat a request until the response is not a temporary failure."""
        while True:
            with suppress(httpx.TransportError):
                answer = await self._client.request(method, path, **more)  # pyright: ignore[reportArgumentType]
                if answer.status_code not in _PASSING:
                    return answer
            await asyncio.sleep(_AGAIN_SECONDS)

    async def begin(self) -> None:
        """Create a collection."""
        self.collection = (await self.ask("POST", "/api/collections", json={"name": "Faults"})).json()["id"]

    async def upload(self, word: str, data: bytes, name: str) -> None:
        """Upload a file in two parts, and record the acknowledgement."""
        said = {"filename": name, "collection": self.collection}
        pairs = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in said.items())
        begun = await self.ask(
            "POST", "/api/uploads", headers={"upload-length": str(len(data)), "upload-metadata": pairs}
        )
        at, start = begun.headers["location"], 0
        headers = {"content-type": "application/offset+octet-stream"}
        while True:
            end = len(data) // 2 if start < len(data) // 2 else len(data)
            answer = await self.ask(
                "PATCH", at, headers={**headers, "upload-offset": str(start)}, content=data[start:end]
            )
            if answer.status_code == 409:
                start = int((await self.ask("HEAD", at)).headers["upload-offset"])
                continue
            assert answer.status_code == 204, (answer.status_code, answer.text)
            start = int(answer.headers["upload-offset"])
            if start == len(data) and answer.headers.get("x-stored") == "1":
                self.told.acknowledged[answer.headers["x-document"]] = word
                if name.endswith(".pdf"):
                    self.told.broken.add(answer.headers["x-document"])
                return

    async def documents(self) -> list[dict]:
        """Return the collection's documents."""
        return (await self.ask("GET", f"/api/collections/{self.collection}/documents")).json()

    async def found(self, word: str) -> set[str]:
        """Return the documents in which a search finds a word."""
        body = {"question": word, "collections": [self.collection], "k": 50}
        passages = (await self.ask("POST", "/api/search", json=body)).json()["passages"]
        return {item["document_id"] for item in passages if word in item["text"]}

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


async def one_round(cluster: Cluster, fault: Fault, seed: int, files: int = FILES) -> str:
    """Upload files, inject a fault, and check all documents; return the duration."""
    rng, began = random.Random(seed), time.monotonic()
    uploader = Uploader(cluster)
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await uploader.begin()
            words = [f"zq{seed}x{number}w" for number in range(files)]
            uploads = [uploader.upload(word, text_of(word, rng), f"{word}.md") for word in words[1:]]
            uploads.append(uploader.upload(words[0], b"%PDF-1.7\n" + os.urandom(5000), f"{words[0]}.pdf"))
            working = asyncio.gather(*uploads)
            await asyncio.sleep(rng.uniform(0, 1.5))
            await fault(cluster, rng)
            await working
            await _until_settled(uploader)
            await _check(cluster, uploader)
    finally:
        await uploader.close()
    return f"{time.monotonic() - began:.1f} s"


async def _until_settled(uploader: Uploader) -> None:
    while True:
        shown = {item["id"]: item for item in await uploader.documents()}
        missing = uploader.told.acknowledged.keys() - shown.keys()
        assert not missing, f"acknowledged and not there: {missing}"
        if all(shown[item]["state"] in {"ready", "failed"} for item in uploader.told.acknowledged):
            return
        await asyncio.sleep(0.2)


async def _check(cluster: Cluster, uploader: Uploader) -> None:
    shown = await uploader.documents()
    told = uploader.told
    for item in shown:
        if item["id"] in told.acknowledged:
            is_broken = item["id"] in told.broken
            assert item["state"] == ("failed" if is_broken else "ready"), item
            assert bool(item["error"]) == is_broken, item
    for document, word in told.acknowledged.items():
        if document not in told.broken:
            assert await uploader.found(word) == {document}, word
    with psycopg.connect(cluster.owner_url) as connection:
        doubled = connection.execute(
            "SELECT document_id, generation, ordinal FROM chunk GROUP BY 1, 2, 3 HAVING count(*) > 1"
            " UNION ALL SELECT document.id, generation, 0 FROM document WHERE state = 'ready' AND chunks <> (SELECT count(*)"
            " FROM chunk JOIN chunk_vector ON chunk_vector.chunk_id = chunk.id WHERE chunk.document_id = document.id)"
        ).fetchall()
    assert doubled == []
    await _swept(cluster)


async def _swept(cluster: Cluster) -> None:
    """Check that after garbage collection the store contains exactly the referenced objects."""
    store, database = cluster.store(), Database(cluster.postgres_url)
    try:
        await StorageGarbageCollector(database, store).once(unfinished=timedelta(0), young=timedelta(0))
        with psycopg.connect(cluster.owner_url) as connection:
            remembered = {row[0] for row in connection.execute("SELECT object_key FROM file_part")}
        kept = {item.key async for item in store.objects()}
    finally:
        await store.aclose()
        await database.aclose()
    assert kept == remembered, f"orphans: {kept - remembered}; lost: {remembered - kept}"


async def kill_web(cluster: Cluster, _rng: random.Random) -> None:
    """Kill the web processes, and start them again."""
    for pid in cluster.web.pids():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    await cluster.web.again()


async def kill_worker(cluster: Cluster, rng: random.Random) -> None:
    """Kill one of the ingestion workers."""
    worker = rng.choice(cluster.workers)
    worker.kill()
    await worker.again()


async def kill_workers(cluster: Cluster, rng: random.Random) -> None:
    """Kill all ingestion workers, one right after the other."""
    for worker in cluster.workers:
        worker.kill()
        await asyncio.sleep(rng.uniform(0, 0.2))
    await asyncio.gather(*(worker.again() for worker in cluster.workers))


async def end_worker(cluster: Cluster, rng: random.Random) -> None:
    """Ask a worker to end, as a deployment does."""
    worker = rng.choice(cluster.workers)
    assert await worker.end() < 8
    await worker.start()


async def kill_postgres(cluster: Cluster, _rng: random.Random) -> None:
    """Kill the database and start it again."""
    for pid in cluster.postgres.pids():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    await cluster.postgres.again()


async def kill_embedder(cluster: Cluster, rng: random.Random) -> None:
    """Kill the embedding server, and restart it later."""
    cluster.model.kill()
    await asyncio.sleep(rng.uniform(0.5, 3))
    await cluster.model.again()


async def freeze_worker(cluster: Cluster, rng: random.Random) -> None:
    """Freeze a worker beyond its heartbeat's timeout, so that another worker takes over its jobs."""
    worker = rng.choice(cluster.workers)
    worker.freeze()
    await asyncio.sleep(14)
    worker.thaw()


async def lose_store(cluster: Cluster, rng: random.Random) -> None:
    """Make the file store unavailable for some time, as an unmounted disk does."""
    away = cluster.data / "files-away"
    store = cluster.data / "files"
    store.mkdir(exist_ok=True)
    store.rename(away)
    store.write_bytes(b"not a folder")
    await asyncio.sleep(rng.uniform(0.5, 3))
    store.unlink()
    away.rename(store)


async def fill_store(cluster: Cluster, rng: random.Random) -> None:
    """Fill the disk of files and database."""
    cluster.fill_disk()
    await asyncio.sleep(rng.uniform(0.5, 3))
    cluster.empty_disk()


async def kill_store(cluster: Cluster, rng: random.Random) -> None:
    """Kill the S3 server, and restart it later."""
    assert cluster.swift is not None
    cluster.swift.stop()
    await asyncio.sleep(rng.uniform(0.5, 3))
    cluster.swift.start()


async def freeze_store(cluster: Cluster, rng: random.Random) -> None:
    """Freeze the S3 server, which then accepts connections and sends no answers."""
    assert cluster.swift is not None
    cluster.swift.freeze()
    await asyncio.sleep(rng.uniform(0.5, 3))
    cluster.swift.resume()


async def fill_bucket(cluster: Cluster, rng: random.Random) -> None:
    """Reach the bucket's quota for some time."""
    assert cluster.swift is not None
    cluster.swift.limit(BUCKET, 1)
    await asyncio.sleep(rng.uniform(0.5, 3))
    cluster.swift.limit(BUCKET, None)


def _named(*faults: Fault) -> dict[str, Fault]:
    return {fault.__name__.replace("_", "-"): fault for fault in faults}


FAULTS = _named(
    kill_web, kill_worker, kill_workers, end_worker, kill_postgres, kill_embedder, freeze_worker, lose_store, fill_store
)
S3_FAULTS = _named(kill_store, freeze_store, fill_bucket, kill_worker)
"""The faults with files in a bucket."""


async def main(names: list[str], rounds: int) -> int:
    """Run the rounds of these faults, and print the results."""
    failed = 0
    if some := [name for name in names or FAULTS if name in FAULTS]:
        async with opened() as cluster:
            failed += sum([await _rounds(cluster, name, FAULTS[name], rounds) for name in some])
    if some := [name for name in names or S3_FAULTS if name in S3_FAULTS and (not names or name not in FAULTS)]:
        with swift_s3() as swift:
            async with opened(swift=swift) as cluster:
                failed += sum([await _rounds(cluster, f"{name} (S3)", S3_FAULTS[name], rounds) for name in some])
    return 1 if failed else 0


async def _rounds(cluster: Cluster, name: str, fault: Fault, rounds: int) -> int:
    """Return the number of failed rounds."""
    failed = 0
    if fault is fill_store and not cluster.has_own_disk:
        print(f"{name}: skipped, no disk may be mounted here")
        return 0
    for number in range(rounds):
        try:
            print(f"{name} {number + 1}: {await one_round(cluster, fault, number)}", flush=True)
        except (AssertionError, TimeoutError) as error:
            failed += 1
            print(f"{name} {number + 1}: FAILED: {str(error)[:1500] or type(error).__name__}", flush=True)
            await cluster.is_serving()
    return failed


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.faults.documents", description=__doc__)
    parser.add_argument(
        "names", nargs="*", help=f"faults, of {', '.join([*FAULTS, *S3_FAULTS])}; all when none is named"
    )
    parser.add_argument("--rounds", type=int, default=20)
    given = parser.parse_args()
    sys.exit(asyncio.run(main(given.names, given.rounds)))
