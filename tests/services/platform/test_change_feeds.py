"""What other transactions have done, as Postgres tells it: nobody stays deaf, and everybody concerned hears."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from rxchat.domain.errors import DatabaseUnavailable
from rxchat.domain.ids import new_id
from rxchat.services.platform import pg_listener as module
from rxchat.services.platform.access_invalidator import AccessInvalidator
from rxchat.services.platform.change_feeds import ChangeFeed, ChangeSubscription
from rxchat.services.platform.pg_listener import PgListener

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "error", [DatabaseUnavailable(), RuntimeError("password authentication failed")], ids=["away", "other"]
)
async def test_whatever_breaks_the_line_it_is_said_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(module, "_RECONNECT_SECONDS", 0.01)
    deaf = asyncio.Event()
    times = 0

    async def listen() -> AsyncGenerator[str]:
        nonlocal times
        times += 1
        yield ""
        if times == 1:
            deaf.set()
            raise error
        await asyncio.sleep(3600)

    heard: list[str] = []
    notices = PgListener(listen)
    notices.subscribe("conversation", heard.append)
    with pytest.raises(RuntimeError, match="already have a subscriber"):
        notices.subscribe("conversation", heard.append)
    await notices.start()
    await deaf.wait()
    async with asyncio.timeout(60):
        while notices.listening.is_set() and times == 1:
            await asyncio.sleep(0.001)
        await notices.listening.wait()
    assert times == 2
    # Each time that it listens anew, something may have been missed.
    assert heard == ["", ""]
    await notices.stop()
    assert not notices.listening.is_set()


async def test_a_persons_tabs_and_those_on_the_conversation_are_told_and_no_others() -> None:
    payloads: asyncio.Queue[str] = asyncio.Queue()

    async def listen() -> AsyncGenerator[str]:
        while True:
            yield await payloads.get()

    notices = PgListener(listen)
    activity = ChangeFeed(notices, AccessInvalidator(notices))
    await notices.start()
    owner, reader, conversation = new_id(), new_id(), new_id()
    with (
        activity.watching(owner, None) as at_home,
        activity.watching(reader, conversation) as beside,
        activity.watching(reader, new_id()) as elsewhere,
    ):
        payloads.put_nowait(f"conversation {owner} {conversation}")
        assert await at_home.wait(5) and await beside.wait(5)
        assert not elsewhere.poked
        payloads.put_nowait("")
        assert await elsewhere.wait(5) and at_home.poked
    assert activity._watches == {}
    await notices.stop()


async def test_a_poke_nudges_whoever_waits_for_something_else() -> None:
    watch, nudged = ChangeSubscription(), []
    with watch.nudging(lambda: nudged.append("now")):
        watch.notify()
    watch.notify()
    assert nudged == ["now"] and watch.poked
