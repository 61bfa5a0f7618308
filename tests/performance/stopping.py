"""Stop: from the press in one tab until another tab says that it is over, and until the model is free again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from uuid import UUID

import httpx

from rxchat.connections import Connections
from tests.performance.figures import Figure, percentile
from tests.performance.seeding import add_readers
from tests.performance.stage import STEADY
from tests.performance.tab import Tab, open_tab

_STREAMS = 20
_ROUNDS = 3
_UNDER_WAY_SECONDS = 2.0
_LOOK_SECONDS = 0.005
_PATIENCE_SECONDS = 20.0


async def stop_figure(where: str, url: str, at: Connections, ollama: str) -> Figure:
    """Have twenty answers written at 50 tokens/s, and stop them one by one, each from a second tab of its person's."""
    shown: list[float] = []
    freed: list[float] = []
    async with AsyncExitStack() as stack, httpx.AsyncClient(base_url=ollama, trust_env=False) as model:
        pairs = [
            await _two_tabs(stack, url, cookie, conversation)
            for cookie, conversation in add_readers(at, _STREAMS, model=STEADY)
        ]
        for _ in range(_ROUNDS):
            asking = [asyncio.create_task(asker.ask()) for asker, _ in pairs]
            await _until_generating(model, _STREAMS)
            await asyncio.sleep(_UNDER_WAY_SECONDS)
            for number, (asked, (_, stopper)) in enumerate(zip(asking, pairs, strict=True), start=1):
                pressed_at = time.perf_counter()
                await stopper.stop()
                is_free = asyncio.create_task(_until_generating(model, _STREAMS - number))
                await asked
                shown.append((time.perf_counter() - pressed_at) * 1000)
                freed.append((await is_free - pressed_at) * 1000)
    return Figure(
        f"{where}: Stop in one tab to its end in another, {_STREAMS} answers being written",
        "p95 < 200 ms",
        f"{_spread(shown)}; the model is free again: {_spread(freed)}",
    )


async def _two_tabs(stack: AsyncExitStack, url: str, cookie: str, conversation: UUID) -> tuple[Tab, Tab]:
    asker, stopper = [await stack.enter_async_context(open_tab(url, cookie, conversation)) for _ in range(2)]
    return asker, stopper


async def _until_generating(model: httpx.AsyncClient, count: int) -> float:
    """Wait until the model writes at most (or, when it begins, at least) so many answers; return when that was."""
    is_beginning = count == _STREAMS
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while True:
            writing: int = (await model.get("/scripted")).json()["generating"]
            if writing >= count if is_beginning else writing <= count:
                return time.perf_counter()
            await asyncio.sleep(_LOOK_SECONDS)


def _spread(found: Sequence[float]) -> str:
    return f"p50 {percentile(found, 0.5):,.0f} ms, p95 {percentile(found, 0.95):,.0f} ms"
