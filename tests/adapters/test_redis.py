"""Fan-out over a real Valkey, and over none."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack

import pytest

from rxchat.adapters.breaker import Breaker
from rxchat.adapters.redis_broadcast import RedisBroadcast
from rxchat.embedded.endpoints import Endpoints
from tests.peers.gateway import gateway

pytestmark = pytest.mark.anyio


async def test_what_is_published_reaches_who_listens(broadcast: RedisBroadcast) -> None:
    async with broadcast.subscribe("a") as messages, asyncio.timeout(60):
        await broadcast.publish("b", b"not for us")
        await broadcast.publish("a", b"one")
        await broadcast.publish("a", b"two")
        assert [await anext(messages), await anext(messages)] == [b"one", b"two"]
    assert await broadcast.ping()


async def test_many_who_begin_to_listen_at_once_all_hear(broadcast: RedisBroadcast) -> None:
    channels = [f"c{number}" for number in range(6)]
    async with AsyncExitStack() as listening:
        heard_by = await asyncio.gather(
            *(listening.enter_async_context(broadcast.subscribe(channel)) for channel in channels)
        )
        for channel, messages in zip(channels, heard_by, strict=True):
            assert await told(broadcast, messages, channel.encode(), channel) == channel.encode()


async def test_with_the_server_away_nothing_is_raised_and_nobody_waits() -> None:
    away = RedisBroadcast("redis://127.0.0.1:9/0")
    async with asyncio.timeout(60):
        assert await away.publish("a", b"lost") == 0
        async with away.subscribe("a") as messages:
            assert await heard(messages, 0.3) is None
        assert await away.ping() is False
    await away.aclose()


async def test_it_is_used_again_without_a_restart_when_it_is_back(servers: Endpoints) -> None:
    assert servers.redis_url
    async with gateway(servers.redis_url) as between:
        broadcast = RedisBroadcast(between.url)
        async with broadcast.subscribe("a") as messages:
            await told(broadcast, messages, b"before")
            await between.close()
            assert await broadcast.publish("a", b"lost") == 0
            await between.open()
            await told(broadcast, messages, b"after")
        await broadcast.aclose()


async def test_a_server_that_hangs_costs_its_budget_once() -> None:
    left: list[asyncio.Event] = []

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        left.append(asyncio.Event())
        gone = left[-1]
        await reader.read()
        writer.close()
        gone.set()

    hanging = await asyncio.start_server(hang, "127.0.0.1")
    broadcast = RedisBroadcast(f"redis://127.0.0.1:{hanging.sockets[0].getsockname()[1]}/0")
    began = time.monotonic()
    for _ in range(50):
        assert await broadcast.publish("a", b"lost") == 0
    # Each alone would have cost half a second.
    assert time.monotonic() - began < 20
    await broadcast.aclose()
    for gone in left:
        await gone.wait()
    hanging.close()
    await hanging.wait_closed()


def test_a_breaker_lets_one_try_after_its_rest() -> None:
    now = 0.0
    breaker = Breaker(5, lambda: now)
    assert breaker.admits() and breaker.failed() and not breaker.failed()
    assert not breaker.is_closed and not breaker.admits()
    now = 5.0
    assert breaker.admits() and not breaker.admits()
    assert breaker.succeeded() and not breaker.succeeded()
    assert breaker.is_closed and breaker.admits() and breaker.admits()


async def told(broadcast: RedisBroadcast, messages: AsyncGenerator[bytes], message: bytes, channel: str = "a") -> bytes:
    """Say it until it is heard, and return it as it was heard: what is said while a line is made anew is lost."""
    async with asyncio.timeout(60):
        while await broadcast.publish(channel, message) == 0:
            await asyncio.sleep(0.1)
        while (said := await heard(messages, 10)) != message:
            pass
    return said or b""


async def heard(messages: AsyncGenerator[bytes], seconds: float) -> bytes | None:
    """Return the next message, or None when none comes for so long."""
    try:
        async with asyncio.timeout(seconds):
            return await anext(messages)
    except TimeoutError:
        return None
