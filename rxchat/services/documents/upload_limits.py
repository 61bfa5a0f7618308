"""Limits concurrent uploads per process and per user, and splits request bodies into parts."""

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
"""How many uploads a process receives at once, each with a part in memory; others wait."""
_OF_ONE_USER = 8
_WINDOW_SECONDS = 20.0
_TURN_SECONDS = 20.0
"""After this time an upload pauses if another user with fewer uploads waits; its client resumes it."""
_SLOWEST_BYTES_A_SECOND = 1_000
"""A connection that sends less in a window counts as interrupted; its client can resume the upload."""


class UploadLimiter:
    """Decides which uploads are received, so that no user blocks others for long."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._listening: Counter[UUID] = Counter()
        self._waiting: Counter[UUID] = Counter()

    @asynccontextmanager
    async def of(self, user_id: UUID) -> AsyncGenerator[Callable[[], bool]]:
        """Receive an upload while the context is open; yields a function that returns whether it must pause for other users.

        Raises:
            TooManyAttempts: when the user has the maximum number of uploads.
        """
        if self._listening[user_id] + self._waiting[user_id] >= _OF_ONE_USER:
            raise TooManyAttempts(
                "You are uploading many files at once. The remaining ones continue in a moment.", retry_after_seconds=2
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
    """Yield a body in parts of the stored size; the last one contains what arrived before an interruption."""
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
            log.info("an upload was interrupted", kept_bytes=len(held))
            break
        while len(held) >= PART_BYTES:
            yield bytes(held[:PART_BYTES])
            del held[:PART_BYTES]
            # Storing it took time that the connection is not responsible for.
            until, owed = _next_window()
        if asyncio.get_running_loop().time() > turn_ends and gives_way():
            log.info("an upload was paused for another user's", kept_bytes=len(held))
            break
    if held:
        yield bytes(held)


def _next_window() -> tuple[float, float]:
    """Return the deadline and the number of bytes of the next window."""
    return asyncio.get_running_loop().time() + _WINDOW_SECONDS, _WINDOW_SECONDS * _SLOWEST_BYTES_A_SECOND
