"""The worker of jobs: it ends at once whenever it is told to, and leaves nothing behind that keeps its process from ending."""

from __future__ import annotations

import asyncio
import random

import pytest

from rxchat.jobs.worker import Worker

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
