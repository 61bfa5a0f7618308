"""The worker of jobs: it ends at once whenever it is told to, and leaves nothing behind that keeps its process from ending."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import psycopg
import pytest
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Status
from sqlalchemy import text

from rxchat.db.platform.database import Database
from rxchat.db.platform.jobs import (
    DOCUMENTS_QUEUE,
    INGEST,
    QUICK_QUEUE,
    SCANS_QUEUE,
    enqueue_ingestion,
    other_owners_wait,
)
from rxchat.domain.ids import new_id
from rxchat.jobs import claims
from rxchat.jobs import worker as worker_module
from rxchat.jobs.worker import QUICK_PLACES, Worker
from rxchat.services.documents.vector_index import SliceOver

pytestmark = pytest.mark.anyio

PATIENCE_SECONDS = 60


class Idle:
    """Documents of which there are none."""

    async def look_after(self) -> None:
        """Find nothing to do."""


@pytest.mark.parametrize("seed", range(12))
async def test_it_ends_whenever_it_is_told_to(database_url: str, seed: int) -> None:
    before = asyncio.all_tasks()
    worker = Worker(database_url, Idle(), Idle())  # pyright: ignore[reportArgumentType]
    await worker.start()
    # At any moment of its start, or afterwards.
    await asyncio.sleep(random.Random(seed).uniform(0, 0.15))
    async with asyncio.timeout(PATIENCE_SECONDS):
        await worker.stop()
    assert asyncio.all_tasks() - before == set()


async def test_with_the_database_away_it_ends_too() -> None:
    before = asyncio.all_tasks()
    worker = Worker("postgresql://nobody@127.0.0.1:9/nothing", Idle(), Idle())  # pyright: ignore[reportArgumentType]
    await worker.start()
    await asyncio.sleep(0.1)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await worker.stop()
        while asyncio.all_tasks() - before:
            await asyncio.sleep(0.05)
    assert asyncio.all_tasks() == before


class Counted:
    """Documents that end when they are let go, and how many of each owner were under way at once."""

    def __init__(self, database: Database | None = None) -> None:
        self.database = database
        self.turns: list[tuple[UUID, str]] = []
        self.running: Counter[UUID] = Counter()
        self.most: Counter[UUID] = Counter()
        self.done: list[UUID] = []
        self.held: set[UUID] = set()
        self.is_let_go = asyncio.Event()

    async def look_after(self) -> None:
        """Find nothing to do."""

    async def run(self, owner_id: UUID, document_id: UUID, *, queue: str) -> None:
        """Wait, if it is a document of an owner whose documents are held."""
        self.turns.append((document_id, queue))
        self.running[owner_id] += 1
        self.most[owner_id] = max(self.most[owner_id], self.running[owner_id])
        try:
            await (self.is_let_go.wait() if owner_id in self.held else asyncio.sleep(0))
        finally:
            self.running[owner_id] -= 1
        self.done.append(document_id)

    async def other_owners_wait(self, owner_id: UUID) -> bool:
        """Ask as the service does."""
        assert self.database is not None
        async with self.database.begin(None) as session:
            return await other_owners_wait(session, owner_id, queue=QUICK_QUEUE)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for it, with patience."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not condition():
                await asyncio.sleep(0.02)


async def queued(database_url: str, owner: UUID, count: int, queue: str = "") -> list[UUID]:
    """Queue so many documents of an owner."""
    database = Database(database_url, pool_size=2)
    documents = [new_id() for _ in range(count)]
    async with database.begin(owner) as session:
        for document in documents:
            await enqueue_ingestion(session, owner, document, queue=queue)
    await database.aclose()
    return documents


@asynccontextmanager
async def at_work(database_url: str, ingestion: Counted) -> AsyncGenerator[Worker]:
    worker = Worker(database_url, ingestion, Idle())  # pyright: ignore[reportArgumentType]
    await worker.start()
    try:
        yield worker
    finally:
        ingestion.is_let_go.set()
        await worker.stop()


async def test_one_owner_never_holds_all_places_of_any_process(database_url: str) -> None:
    many, few = new_id(), new_id()
    one, other = Counted(), Counted()
    for ingestion in (one, other):
        ingestion.held = {many}
    async with at_work(database_url, one), at_work(database_url, other):
        await queued(database_url, many, 12)
        await one.until(lambda: one.running[many] + other.running[many] == 4)
        # Every place that they may have is taken until the end of the test, and what another brings is done.
        small = await queued(database_url, few, 6)
        await one.until(lambda: set(small) <= {*one.done, *other.done})
        assert (one.running[many], other.running[many]) == (2, 2)
        for ingestion in (one, other):
            ingestion.is_let_go.set()
        await one.until(lambda: len(one.done + other.done) == 18)
    assert max(one.most[many], other.most[many]) == 2


async def test_an_owners_next_document_begins_when_one_has_ended(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not at the next poll, which is an hour away here."""
    look = Worker._worker
    monkeypatch.setattr(Worker, "_worker", lambda self, queue, places, look_seconds=0: look(self, queue, places, 3600))
    ingestion = Counted()
    async with at_work(database_url, ingestion):
        documents = await queued(database_url, new_id(), 40)
        await ingestion.until(lambda: len(ingestion.done) >= len(documents))
    assert sorted(ingestion.done) == sorted(documents)


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[Database]:
    found = Database(database_url, pool_size=2)
    yield found
    # Else what a test that failed has left is the next one's.
    async with found.begin(None) as session:
        await session.execute(text("DELETE FROM procrastinate_jobs"))
    await found.aclose()


async def test_however_many_owners_hold_places_a_small_file_waits_a_turn_of_each_at_most(
    database_url: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "_QUICK_SECONDS", 0.1)
    many, few = [new_id() for _ in range(12)], new_id()
    ingestion = Counted(database)
    ingestion.held = set(many)
    async with at_work(database_url, ingestion):
        for owner in many:
            await queued(database_url, owner, 2)
            await queued(database_url, owner, 2, QUICK_QUEUE)
        await ingestion.until(lambda: sum(ingestion.running[owner] for owner in many) == 3 + QUICK_PLACES)
        small = await queued(database_url, few, 4, QUICK_QUEUE)
        begun = len(ingestion.turns)
        await ingestion.until(lambda: set(small) <= set(ingestion.done))
        # All others' are still there: none has ended, and each has had one short turn among small files.
        assert set(ingestion.done) == set(small)
        quick = Counter(document for document, queue in ingestion.turns if queue == QUICK_QUEUE)
        assert max(quick.values()) == 1
        # Owners without a turn yet and with fewer files come first; no owner's second file does.
        later = [document for document, queue in ingestion.turns[begun:] if queue == QUICK_QUEUE]
        assert min(map(later.index, small)) <= len(many)
        ingestion.is_let_go.set()
        await ingestion.until(lambda: len(ingestion.done) == 12 * 4 + 4)


async def test_a_small_file_that_takes_long_keeps_its_place_while_it_is_wanted_by_nobody_else(
    database_url: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "_QUICK_SECONDS", 0.02)
    owner = new_id()
    ingestion = Counted(database)
    ingestion.held = {owner}
    async with at_work(database_url, ingestion):
        documents = await queued(database_url, owner, 3, QUICK_QUEUE)
        await ingestion.until(lambda: ingestion.running[owner] == QUICK_PLACES)
        await asyncio.sleep(0.2)
        ingestion.is_let_go.set()
        await ingestion.until(lambda: set(documents) == set(ingestion.done))
    assert sorted(ingestion.turns) == sorted((document, QUICK_QUEUE) for document in documents)


async def test_one_small_file_waits_for_a_turn_of_those_that_run_whatever_a_dozen_owners_have_brought(
    database_url: str, database: Database
) -> None:
    """Three hundred files in each queue, and all places taken: what is counted is turns that begin before its own."""
    many, few = [new_id() for _ in range(12)], new_id()
    ingestion = Counted(database)
    ingestion.held = set(many)
    places = {DOCUMENTS_QUEUE: 3, QUICK_QUEUE: QUICK_PLACES, SCANS_QUEUE: 1}
    with psycopg.connect(database_url) as connection:
        connection.cursor().executemany(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, priority, lock, args) VALUES (%s, %s, %s, %s, %s)",
            [
                (
                    queue,
                    INGEST,
                    -number,
                    str(new_id()),
                    json.dumps({"owner_id": str(owner), "document_id": str(new_id())}),
                )
                for owner in many
                for queue in places
                for number in range(1, 26)
            ],
        )
    async with at_work(database_url, ingestion):
        await ingestion.until(lambda: sum(ingestion.running.values()) == sum(places.values()))
        small = {queue: (await queued(database_url, few, 1, queue))[0] for queue in places}
        begun = len(ingestion.turns)
        ingestion.is_let_go.set()
        await ingestion.until(lambda: set(small.values()) <= set(ingestion.done))
        for queue, document in small.items():
            later = [item for item, where in ingestion.turns[begun:] if where == queue]
            assert later.index(document) < places[queue]


async def test_a_small_file_that_is_much_work_goes_on_among_the_large_ones(
    database_url: str, database: Database
) -> None:
    """Whether others wait or not; and its own others go on."""
    owner = new_id()

    class Heavy(Counted):
        async def run(self, owner_id: UUID, document_id: UUID, *, queue: str) -> None:
            await super().run(owner_id, document_id, queue=queue)
            if queue == QUICK_QUEUE:
                raise SliceOver

    ingestion = Heavy(database)
    async with at_work(database_url, ingestion):
        documents = await queued(database_url, owner, 2, QUICK_QUEUE)
        await ingestion.until(lambda: len(ingestion.done) == 4)
    for document in documents:
        assert [queue for item, queue in ingestion.turns if item == document] == [QUICK_QUEUE, DOCUMENTS_QUEUE]


@pytest.mark.parametrize("is_tried_again", [False, True])
@pytest.mark.parametrize(("failures", "kept"), [(1, 1), (9, 0)])
async def test_a_job_that_ends_while_the_database_is_away_ends_no_worker(
    monkeypatch: pytest.MonkeyPatch, failures: int, kept: int, is_tried_again: bool
) -> None:
    monkeypatch.setattr(claims, "_PAUSES_SECONDS", (0.0, 0.0, 0.0))
    left, ended, told = [ConnectorException()] * failures, [], []

    class Connector:
        async def execute_query_async(self, query: str, **arguments: object) -> None:
            if left:
                raise left.pop()
            ended.append(arguments["job_id"])

    jobs_claimed = claims.JobClaims(cast("Any", Connector()), {}, lambda: told.append(True))
    job = Job(id=7, queue="documents", lock=None, queueing_lock=None, task_name="ingest")
    if is_tried_again:
        await jobs_claimed.retry_job(job, datetime.now(UTC))
    else:
        await jobs_claimed.finish_job(job, Status.SUCCEEDED, delete_job=False)
    assert (ended, told) == ([7] * kept, [True])
