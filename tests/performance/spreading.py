"""Readers of two web processes whose answers a worker writes: with Valkey, without it, and while it sleeps."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

from tests.performance.crowd import crowd
from tests.performance.crowd_figures import ask_all, crowd_figures
from tests.performance.figures import Figure
from tests.performance.seeding import add_readers
from tests.performance.stage import CROWDED
from tests.performance.stopping import stop_figure
from tests.performance.topologies import Spread, spread
from tests.ports import free_port

_WITH, _WITHOUT = (10, 50, 100), (50,)
_WEB_AND_WORKER = "2 web processes + 1 worker"
_ASLEEP_READERS = 10
_ASLEEP_AFTER, _ASLEEP_SECONDS = 2.5, 2.0


async def spread_figures(data: Path, folder: Path, ollama: str, say: Callable[[str], None]) -> list[Figure]:
    """Measure several processes, with Valkey, with Valkey asleep in the middle of answers, and without it."""
    figures: list[Figure] = []
    say(f"starting {_WEB_AND_WORKER}")
    async with spread(data, ollama) as found:
        figures.append(await _balance_figure(found, folder))
        for count in _WITH:
            say(f"{count} readers, {_WEB_AND_WORKER}")
            figures += crowd_figures(
                _WEB_AND_WORKER, count, await ask_all(found.url, found.at, count, folder), found.at
            )
        say(f"Stop, {_WEB_AND_WORKER}")
        figures.append(await stop_figure(_WEB_AND_WORKER, found.url, found.at, ollama))
        say("Valkey sleeps in the middle of answers")
        figures += await _asleep_figures(found, folder)
    say(f"starting {_WEB_AND_WORKER}, without Valkey")
    nobody = f"redis://127.0.0.1:{free_port()}/0"
    async with spread(data, ollama, redis_url=nobody) as found:
        for count in _WITHOUT:
            say(f"{count} readers, {_WEB_AND_WORKER}, without Valkey")
            harvest = await ask_all(found.url, found.at, count, folder)
            figures += crowd_figures(f"{_WEB_AND_WORKER}, no Valkey", count, harvest, found.at)
    return figures


async def _balance_figure(found: Spread, folder: Path) -> Figure:
    async with crowd(found.url, add_readers(found.at, 50, model=CROWDED), folder):
        shares = found.tabs_of_each()
    return Figure(
        f"{_WEB_AND_WORKER}: 50 tabs, at each web process", "", " and ".join(str(share) for share in sorted(shares))
    )


async def _asleep_figures(found: Spread, folder: Path) -> list[Figure]:
    """Stop Valkey as it stands, in the middle of answers, and wake it again."""
    async with crowd(found.url, add_readers(found.at, _ASLEEP_READERS, model=CROWDED), folder) as readers:
        asking = asyncio.create_task(readers.ask())
        await asyncio.sleep(_ASLEEP_AFTER)
        valkey = found.valkey()
        os.kill(valkey, signal.SIGSTOP)
        try:
            await asyncio.sleep(_ASLEEP_SECONDS)
        finally:
            os.kill(valkey, signal.SIGCONT)
        harvest = await asking
    where = f"{_WEB_AND_WORKER}, Valkey asleep for {_ASLEEP_SECONDS:.0f} s of it"
    return crowd_figures(where, _ASLEEP_READERS, harvest, found.at)
