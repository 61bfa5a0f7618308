"""Claims of jobs: places go round between owners, whatever each of them has waiting. What is counted is turns, not seconds."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import psycopg
import pytest

from rxchat.db.platform.jobs import CLAIM, DOCUMENTS_QUEUE, INGEST, LAST_PRIORITY, QUICK_QUEUE, SCANS_QUEUE
from rxchat.domain.ids import new_id
from tests.db.platform.test_isolation import acting

ATTACHED = 2_000
FLOOD = [(-number, "now") for number in range(1, 26)]


class Queue:
    """A queue in a transaction that is never committed."""

    def __init__(self, connection: psycopg.Connection, name: str) -> None:
        self.connection, self.name = connection, name
        self.worker = self.new_worker()

    def new_worker(self) -> int:
        row = self.connection.execute("INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id").fetchone()
        assert row
        return row[0]

    def add(self, owner: UUID, *jobs: tuple[int, str], lock: str = "") -> None:
        """Queue jobs of an owner: the priority of each, and when it may be claimed."""
        self.connection.cursor().executemany(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, priority, lock, args, scheduled_at)"
            " VALUES (%s, %s, %s, %s, %s, now() + %s::interval)",
            [
                (self.name, INGEST, priority, lock or str(new_id()), json.dumps({"owner_id": str(owner)}), wait)
                for priority, wait in ((priority, "0" if at == "now" else at) for priority, at in jobs)
            ],
        )

    def claim(self, most: int = 1_000, worker: int | None = None) -> UUID | None:
        """Claim the next job, as the runtime role does, and return its owner."""
        given = {"queues": [self.name], "worker_id": worker or self.worker, "most": most}
        row = self.connection.execute(CLAIM, given).fetchone()
        assert row
        return UUID(row[6]["owner_id"]) if row[0] is not None else None

    def claims(self, count: int) -> list[UUID | None]:
        return [self.claim() for _ in range(count)]


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    """The runtime role's; nothing stays of what is done with it."""
    with acting(database_url, None) as found:
        # What other tests have left.
        found.execute("DELETE FROM procrastinate_jobs")
        yield found
        found.rollback()


@pytest.fixture(params=[QUICK_QUEUE, DOCUMENTS_QUEUE, SCANS_QUEUE])
def queue(connection: psycopg.Connection, request: pytest.FixtureRequest) -> Queue:
    return Queue(connection, request.param)


@pytest.mark.parametrize("turns", [0, 2, 12, 40])
def test_a_file_of_another_owner_is_next_however_many_owners_have_brought_many(queue: Queue, turns: int) -> None:
    """Whether those have had turns or not; and then the round goes on."""
    flood, few = [new_id() for _ in range(12)], new_id()
    for owner in flood:
        queue.add(owner, *FLOOD)
    assert len(set(queue.claims(turns))) == min(turns, 12)
    queue.add(few, (-1, "now"))
    assert queue.claim() == few
    assert Counter(queue.claims(24)) == dict.fromkeys(flood, 2)


def test_a_demoted_file_waits_for_nobody_who_had_turns_where_it_comes_to(queue: Queue) -> None:
    """The attack: it had become one of seventy with low priorities, and the last to be queued."""
    flood, few = [new_id() for _ in range(4)], new_id()
    for owner in flood:
        queue.add(owner, *[(-3, "now")] * 20)
    queue.claims(3)
    queue.add(few, (-3, "now"))
    assert queue.claim() == few


def test_who_brings_one_file_after_another_has_every_turn_but_those_of_the_others(queue: Queue) -> None:
    one, other, third = new_id(), new_id(), new_id()
    for owner in (other, third):
        queue.add(owner, *FLOOD)
    claimed = []
    for _ in range(6):
        queue.add(one, (-1, "now"))
        claimed += queue.claims(3)
    assert Counter(claimed) == dict.fromkeys((one, other, third), 6)


def test_an_owners_jobs_are_claimed_by_priority_and_then_as_they_came(connection: psycopg.Connection) -> None:
    queue, owner = Queue(connection, DOCUMENTS_QUEUE), new_id()
    queue.add(owner, (-2, "now"), (-1, "now"), (ATTACHED, "now"), (-1, "now"))
    rows = connection.execute("SELECT id FROM procrastinate_jobs ORDER BY id").fetchall()
    given = {"queues": [queue.name], "worker_id": queue.worker, "most": 9}
    claimed = [connection.execute(CLAIM, given).fetchone() for _ in rows]
    second, first, attached, third = (row[0] for row in rows)
    assert [row and row[0] for row in claimed] == [attached, first, third, second]


def test_attached_files_come_before_others_that_wait_and_keep_no_owner_waiting_for_ever(queue: Queue) -> None:
    flood, reader, few = [new_id() for _ in range(6)], new_id(), new_id()
    for owner in (*flood, reader):
        queue.add(owner, *FLOOD)
    queue.claims(7)
    # All have had a turn, and the reader's was not the first of them.
    queue.add(reader, (ATTACHED, "now"), (ATTACHED - 1, "now"))
    assert queue.claims(2) == [reader, reader]
    for owner in flood:
        queue.add(owner, *[(ATTACHED, "now")] * 50)
    queue.claims(20)
    queue.add(few, (-1, "now"))
    assert queue.claim() == few
    # Also who has had one a moment ago: after one of each other, and the ten by which attached files are ahead.
    queue.add(few, (-1, "now"))
    assert few in queue.claims(7 + 10 + 1)


def test_what_no_user_waits_for_comes_last_whosever_it_is(queue: Queue) -> None:
    idle, busy = new_id(), new_id()
    queue.add(idle, (2 * LAST_PRIORITY, "now"))
    queue.add(busy, (LAST_PRIORITY, "now"), (-1, "now"))
    assert queue.claims(4) == [busy, busy, idle, None]


def test_what_may_not_begin_yet_keeps_nobody_waiting(queue: Queue) -> None:
    """Neither what is tried again later, nor what another job of the same document has to end for."""
    later, locked, free = new_id(), new_id(), new_id()
    queue.add(locked, (0, "now"), (0, "now"), lock="document x")
    assert queue.claim() == locked
    queue.add(later, (0, "1 hour"))
    queue.add(free, (-9, "now"), (-10, "now"))
    assert queue.claims(3) == [free, free, None]


@pytest.mark.parametrize("owner", ["-" * 36, "0", "x"])
def test_jobs_of_what_is_no_owner_keep_nobody_waiting(queue: Queue, owner: str) -> None:
    queue.connection.execute(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, args) VALUES (%s, %s, jsonb_build_object('owner_id', %s::text))",
        (queue.name, INGEST, owner),
    )
    other = new_id()
    queue.add(other, (0, "now"))
    assert queue.claims(2) == [other, None]


def test_an_owner_with_the_most_running_at_a_worker_waits_there_and_not_at_others(queue: Queue) -> None:
    owner, other = new_id(), new_id()
    queue.add(owner, *FLOOD[:3])
    assert [queue.claim(most=2) for _ in range(3)] == [owner, owner, None]
    queue.add(other, (-1, "now"))
    assert [queue.claim(most=2), queue.claim(most=2)] == [other, None]
    assert queue.claim(most=2, worker=queue.new_worker()) == owner


@pytest.mark.parametrize("were", [0, 3_000])
def test_a_claim_looks_at_owners_and_not_at_ten_thousand_jobs(
    connection: psycopg.Connection, owner_url: str, were: int
) -> None:
    """Pages that are read, since seconds say little on a busy machine: some for each owner, whatever they have waiting.

    The plan is that of the first claims, and the statistics are of a queue that is empty (where there were many, indexes
    keep their pages).
    """
    many = (
        "INSERT INTO procrastinate_jobs (queue_name, task_name, priority, lock, args)"
        " SELECT %s, %s, -number, gen_random_uuid()::text, jsonb_build_object('owner_id', owner.id::text)"
        " FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, 20)) AS owner, generate_series(1, %s) AS number"
    )
    with psycopg.connect(owner_url, autocommit=True) as owner:
        # Not in the queue, or a worker would find them.
        owner.execute(many, ("no queue", INGEST, were // 20))
        owner.execute("DELETE FROM procrastinate_jobs WHERE queue_name = 'no queue'")
        owner.execute("VACUUM (ANALYZE) procrastinate_jobs")
    queue = Queue(connection, DOCUMENTS_QUEUE)
    queue.add(new_id(), *FLOOD[:9])
    assert None not in queue.claims(9)
    connection.execute(many, (queue.name, INGEST, 500))
    given = {"queues": [queue.name], "worker_id": queue.worker, "most": 1_000}
    row = connection.execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + CLAIM, given).fetchone()
    assert row
    plan = row[0][0]["Plan"]
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 20 * 60


def test_claims_of_several_processes_at_once_go_round_all_the_same(database_url: str, owner_url: str) -> None:
    name, owners = str(new_id()), [new_id() for _ in range(4)]
    with psycopg.connect(owner_url) as connection:
        queue = Queue(connection, name)
        for owner in owners:
            queue.add(owner, *FLOOD[:9])

    def some_claims(count: int) -> None:
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("SET ROLE rxchat_app")
            for _ in range(count):
                connection.execute(CLAIM, {"queues": [name], "worker_id": queue.worker, "most": 1_000})

    try:
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(some_claims, [5] * 4))
        with psycopg.connect(owner_url) as connection:
            claimed = connection.execute(
                "SELECT count(*) FROM procrastinate_jobs WHERE queue_name = %s AND status = 'doing'"
                " GROUP BY args ->> 'owner_id'",
                (name,),
            ).fetchall()
        assert claimed == [(5,)] * 4
    finally:
        with psycopg.connect(owner_url) as connection:
            connection.execute("DELETE FROM procrastinate_jobs WHERE queue_name = %s", (name,))
            connection.execute("DELETE FROM queue_claim WHERE queue_name = %s", (name,))


def test_a_claim_is_forgotten_after_an_hour(owner_url: str) -> None:
    with psycopg.connect(owner_url) as connection:
        for age in ("59 minutes", "61 minutes"):
            connection.execute(
                "INSERT INTO queue_claim VALUES ('aged', gen_random_uuid(), 1, now() - %s::interval)", (age,)
            )
        connection.execute("SELECT purge_accounts()")
        assert connection.execute("SELECT count(*) FROM queue_claim WHERE queue_name = 'aged'").fetchone() == (1,)
        connection.rollback()
