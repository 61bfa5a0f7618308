"""Who parses next."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise

import pytest

from rxchat.server import websocket_parse_scheduler
from rxchat.server.websocket_parse_scheduler import ParseScheduler

pytestmark = pytest.mark.anyio


def busy(order: list[str], name: str, steps: int) -> websocket_parse_scheduler.Step:
    """Work that takes all of a step's time, again and again."""
    left = steps

    def step() -> bool:
        nonlocal left
        order.append(name)
        ends_at = time.perf_counter() + websocket_parse_scheduler.STEP_SECONDS
        while time.perf_counter() < ends_at:
            pass
        left -= 1
        return left > 0

    return step


async def test_work_is_done_in_turns_and_a_newcomer_is_the_next() -> None:
    order: list[str] = []
    found = ParseScheduler()
    for name in "abc":
        found.ask(busy(order, name, 5))
    async with asyncio.timeout(60):
        while len(order) < 8:
            await asyncio.sleep(0)
        came_at = len(order)
        found.ask(busy(order, "last", 1), is_last=True)
        found.ask(busy(order, "new", 1))
        while len(order) < 17:
            await asyncio.sleep(0)
    assert order.index("new") == came_at and order.index("last") > came_at + 3
    assert [order.count(name) for name in "abc"] == [5, 5, 5]
    # Nobody has two turns while another one waits.
    assert not any(one == other for one, other in pairwise(order[3:13]))


async def test_others_are_served_between_two_turns() -> None:
    order: list[str] = []
    found = ParseScheduler()
    for _ in range(5):
        found.ask(busy(order, "work", 4))
    at_once = len(order)
    assert at_once <= 4
    async with asyncio.timeout(60):
        while order.count("work") < 20:
            order.append("others")
            await asyncio.sleep(0)
    assert all(pair != ("work", "work") for pair in pairwise(order[at_once:]))


async def test_little_work_is_done_at_once() -> None:
    done: list[int] = []
    found = ParseScheduler()
    for number in range(100):
        found.ask(lambda number=number: done.append(number) is not None)
    assert done == list(range(100))
