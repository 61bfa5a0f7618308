"""Fan-out over a real Valkey, and over none."""

from __future__ import annotations

import asyncio

import pytest

from rxchat.adapters.redis import RedisBroadcast

pytestmark = pytest.mark.anyio


async def test_what_is_published_reaches_who_listens(broadcast: RedisBroadcast) -> None:
    async with broadcast.subscribe("a") as messages, asyncio.timeout(5):
        await broadcast.publish("b", b"not for us")
        await broadcast.publish("a", b"one")
        await broadcast.publish("a", b"two")
        assert [await anext(messages), await anext(messages)] == [b"one", b"two"]
    assert await broadcast.ping()


async def test_with_the_server_away_nothing_is_raised_and_nobody_waits() -> None:
    away = RedisBroadcast("redis://127.0.0.1:9/0")
    async with asyncio.timeout(5):
        await away.publish("a", b"lost")
        async with away.subscribe("a") as messages:
            assert [message async for message in messages] == []
        assert await away.ping() is False
    await away.aclose()
