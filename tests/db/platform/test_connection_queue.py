"""Waiting for a connection: in the order of coming, long enough, and with an error that says which it was."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from sqlalchemy import text

from rxchat.db.platform.connection_queue import ConnectionQueue
from rxchat.db.platform.database import Database
from rxchat.domain.errors import DatabaseBusy, DatabaseUnavailable

pytestmark = pytest.mark.anyio


async def test_who_comes_first_is_served_first() -> None:
    queue, served = ConnectionQueue(2), []

    async def want(number: int) -> None:
        async with queue.slot():
            served.append(number)
            await asyncio.sleep(0.001)

    await asyncio.gather(*map(want, range(50)))
    assert served == list(range(50))


async def test_being_busy_for_too_long_is_not_being_away() -> None:
    queue = ConnectionQueue(1, busy_seconds=0.2, away_seconds=0.05)
    async with queue.slot():
        with pytest.raises(DatabaseBusy, match="busy"):
            async with queue.slot():
                pass
        queue.has_failed = True
        with pytest.raises(DatabaseUnavailable) as failure:
            async with queue.slot():
                pass
    assert not isinstance(failure.value, DatabaseBusy)


async def test_who_gives_up_while_waiting_takes_no_place_from_others() -> None:
    queue = ConnectionQueue(2)

    async def want(seconds: float) -> None:
        async with queue.slot():
            await asyncio.sleep(seconds)

    for _ in range(30):
        waiting = [asyncio.create_task(want(0.002)) for _ in range(10)]
        await asyncio.sleep(0.003)
        for task in waiting[::2]:
            task.cancel()
        for task in waiting:
            with suppress(asyncio.CancelledError):
                await task
    # Both are free again, and there are no more than two.
    async with asyncio.timeout(60), queue.slot(), queue.slot():
        assert queue._free.locked()


async def test_many_transactions_at_once_wait_for_few_connections(database_url: str) -> None:
    database = Database(database_url, pool_size=2)

    async def look() -> int:
        async with database.begin(None) as session:
            return (await session.execute(text("SELECT 1 FROM pg_sleep(0.05)"))).scalar_one()

    try:
        # Five seconds of work for each connection: more than the pool would have waited for.
        assert sum(await asyncio.gather(*(look() for _ in range(240)))) == 240
    finally:
        await database.aclose()


async def test_a_database_that_is_away_is_said_to_be_away_to_all_who_wait() -> None:
    database = Database("postgresql://nobody@127.0.0.1:9/none", pool_size=2)

    async def look() -> None:
        async with database.begin(None):
            pass

    failures = await asyncio.gather(*(look() for _ in range(8)), return_exceptions=True)
    assert {type(failure) for failure in failures} == {DatabaseUnavailable}
    await database.aclose()
