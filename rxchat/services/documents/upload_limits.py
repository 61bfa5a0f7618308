"""Listening to uploads: how many at once, whose turn it is, and a body in the pieces that it is kept in."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from uuid import UUID

import structlog

from rxchat.domain.errors import TooManyAttempts
from rxchat.domain.files import PART_BYTES

log = structlog.get_logger(__name__)

_AT_ONCE = 32
"""How many uploads a process listens to, each with a piece in its memory; others wait for their turn."""
_OF_ONE_USER = 8
_WINDOW_SECONDS = 20.0
_TURN_SECONDS = 20.0
"""After this an upload gives way, when another user waits who has fewer turns; it can go on later."""
_SLOWEST_BYTES_A_SECOND = 1_000
"""A line that brings less in a window counts as broken off, and another upload has the turn; it can go on later."""


class UploadLimiter:
    """Which uploads are listened to; no user takes all the turns there are, or keeps others waiting for long."""

    def __init__(self) -> None:
        """Begin with none."""
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._listening: Counter[UUID] = Counter()
        self._waiting: Counter[UUID] = Counter()

    @asynccontextmanager
    async def of(self, user_id: UUID) -> AsyncGenerator[Callable[[], bool]]:
        """Listen to an upload of a user's, and give what says whether it must give way to others by now.

        Raises:
            TooManyAttempts: when they have as many as one person may have.
        """
        if self._listening[user_id] + self._waiting[user_id] >= _OF_ONE_USER:
            raise TooManyAttempts(
                "You are uploading many files at once: these go on in a moment.", retry_after_seconds=2
            )
        with _counted(self._waiting, user_id):
            await self._turns.acquire()
        try:
            with _counted(self._listening, user_id):
                yield partial(self._gives_way, user_id)
        finally:
            self._turns.release()

    def _gives_way(self, user_id: UUID) -> bool:
        return any(self._listening[other] + 1 < self._listening[user_id] for other in self._waiting)


@contextmanager
def _counted(counter: Counter[UUID], user_id: UUID) -> Iterator[None]:
    counter[user_id] += 1
    try:
        yield
    finally:
        counter[user_id] -= 1
        if not counter[user_id]:
            del counter[user_id]


async def pieces(body: AsyncIterable[bytes], gives_way: Callable[[], bool] = lambda: False) -> AsyncGenerator[bytes]:
    """Yield a body in pieces of the size that they are kept in; what came before it broke off is the last one."""
    held = bytearray()
    arriving = aiter(body)
    turn_ends = asyncio.get_running_loop().time() + _TURN_SECONDS
    until, owed = _next_window()
    while True:
        try:
            async with asyncio.timeout_at(until):
                came = await anext(arriving)
            held += came
            owed -= len(came)
            if owed <= 0:
                until, owed = _next_window()
        except StopAsyncIteration:
            break
        except (ConnectionError, TimeoutError):
            log.info("an upload broke off", kept_bytes=len(held))
            break
        while len(held) >= PART_BYTES:
            yield bytes(held[:PART_BYTES])
            del held[:PART_BYTES]
            # Keeping it took time that the line is not to blame for.
            until, owed = _next_window()
        if asyncio.get_running_loop().time() > turn_ends and gives_way():
            log.info("an upload gave way to another user's", kept_bytes=len(held))
            break
    if held:
        yield bytes(held)


def _next_window() -> tuple[float, float]:
    """Return until when a line has to bring how many bytes."""
    return asyncio.get_running_loop().time() + _WINDOW_SECONDS, _WINDOW_SECONDS * _SLOWEST_BYTES_A_SECOND
