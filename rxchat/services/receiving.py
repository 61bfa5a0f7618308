"""Listening to uploads: how many at once, whose turn it is, and a body in the pieces that it is kept in."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import asynccontextmanager
from uuid import UUID

import structlog

from rxchat.domain.errors import TooManyAttempts
from rxchat.domain.files import PART_BYTES

log = structlog.get_logger(__name__)

_AT_ONCE = 32
"""How many uploads a process listens to, each with a piece in its memory; others wait for their turn."""
_OF_ONE_PERSON = 8
_SILENT_SECONDS = 30.0
"""How long a line may say nothing before its upload counts as broken off, and somebody else has the turn."""


class Turns:
    """Who is listened to; nobody takes all the turns there are."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._listening: Counter[UUID] = Counter()

    @asynccontextmanager
    async def of(self, user_id: UUID) -> AsyncGenerator[None]:
        """Listen to an upload of somebody's.

        Raises:
            TooManyAttempts: when they have as many as one person may have.
        """
        if self._listening[user_id] >= _OF_ONE_PERSON:
            raise TooManyAttempts(
                "You are uploading many files at once: these go on in a moment.", retry_after_seconds=2
            )
        self._listening[user_id] += 1
        try:
            async with self._turns:
                yield
        finally:
            self._listening[user_id] -= 1
            if not self._listening[user_id]:
                del self._listening[user_id]


async def pieces(body: AsyncIterable[bytes]) -> AsyncGenerator[bytes]:
    """Yield a body in pieces of the size that they are kept in; what came before it broke off is the last one."""
    held = bytearray()
    arriving = aiter(body)
    while True:
        try:
            async with asyncio.timeout(_SILENT_SECONDS):
                held += await anext(arriving)
        except StopAsyncIteration:
            break
        except (ConnectionError, TimeoutError):
            log.info("an upload broke off", kept_bytes=len(held))
            break
        while len(held) >= PART_BYTES:
            yield bytes(held[:PART_BYTES])
            del held[:PART_BYTES]
    if held:
        yield bytes(held)
