"""Many readers at once: how quickly each gets their tokens, what that costs, and what an open tab holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from uuid import uuid4

from rxchat.connections import connections
from tests.performance.bare import Bare, bare_server
from tests.performance.crowd import Crowd, Harvest, Seat, crowd
from tests.performance.crowd_figures import ask_all, crowd_figures, new_conversations_figure
from tests.performance.figures import Figure
from tests.performance.processes import memory_megabytes
from tests.performance.seeding import add_readers
from tests.performance.spreading import spread_figures
from tests.performance.stage import CROWDED, Stage, rxchat_up, scripted_model, settings_of, web_processes
from tests.performance.statements import statement_figures
from tests.performance.stopping import stop_figure

COUNTS = (1, 10, 50, 100, 200)
BEGINNERS = (1, 10, 50, 100)
_WARM_TABS = 20
_IDLE_TABS = 200
_SETTLE_SECONDS = 4.0


async def load_figures(folder: Path, say: Callable[[str], None]) -> list[Figure]:
    """Measure one process, several, and several without Valkey; then what a thousand tokens have the database do."""
    data = folder / "load"
    async with scripted_model(folder) as ollama:
        floors = await _floors(folder, ollama, say)
        async with rxchat_up(data, ollama=ollama) as (url, pid):
            at = connections(settings_of(data, ollama))
            stage = Stage(url, at, ollama, pid, web_processes(pid), data)
            say(f"{_IDLE_TABS} idle tabs")
            figures = [await _tab_figure(stage, folder)]
            for count in COUNTS:
                say(f"{count} readers, one process")
                harvest = await ask_all(url, at, count, folder)
                figures += crowd_figures("one process", count, harvest, at, floors.get(count))
            for count in BEGINNERS:
                say(f"{count} new conversations, one process")
                figures.append(await new_conversations_figure("one process", url, at, count, folder))
            say("Stop, one process")
            figures.append(await stop_figure("one process", url, at, ollama))
        figures += await spread_figures(data, folder, ollama, say)
        return figures + await statement_figures(data, ollama, say)


async def _floors(folder: Path, ollama: str, say: Callable[[str], None]) -> dict[int, Harvest]:
    floors: dict[int, Harvest] = {}
    async with bare_server(folder, ollama) as bare:
        for count in COUNTS:
            say(f"{count} readers of the bare websocket")
            async with _bare_crowd(bare, count, folder) as readers:
                floors[count] = await readers.ask()
    return floors


def _bare_crowd(bare: Bare, count: int, folder: Path) -> AbstractAsyncContextManager[Crowd]:
    seats: Sequence[Seat] = [("", uuid4()) for _ in range(count)]
    return crowd(bare.url, seats, folder, model=CROWDED)


async def _tab_figure(stage: Stage, folder: Path) -> Figure:
    async with _tabs(stage, _WARM_TABS, folder):
        await asyncio.sleep(_SETTLE_SECONDS)
    before = _held(stage)
    async with _tabs(stage, _IDLE_TABS, folder):
        await asyncio.sleep(_SETTLE_SECONDS)
        during = _held(stage)
    await asyncio.sleep(_SETTLE_SECONDS)
    after = _held(stage)
    a_tab, left = ((amount - before) * 1000 / _IDLE_TABS for amount in (during, after))
    return Figure(
        f"web process, memory for each idle tab ({_IDLE_TABS} tabs)",
        "≤ 300 kB",
        f"{a_tab:,.0f} kB PSS ({left:,.0f} kB are still held {_SETTLE_SECONDS:.0f} s after they closed)",
    )


def _tabs(stage: Stage, count: int, folder: Path) -> AbstractAsyncContextManager[Crowd]:
    return crowd(stage.url, add_readers(stage.at, count, model=CROWDED), folder)


def _held(stage: Stage) -> float:
    return sum(memory_megabytes(pid)[1] for pid in stage.web)
