"""Limits concurrent downloads: each holds a piece of a file in memory until its client has read it."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from uuid import UUID

from rxchat.domain.errors import TooManyAttempts

DOWNLOADS = 128
"""In this process: at 2 MB each they take 256 MB at the most."""
DOWNLOADS_OF_ONE_USER = 8


@dataclass(frozen=True, slots=True)
class Content:
    """A stored file as it is sent to somebody."""

    name: str
    media_type: str
    size_bytes: int
    start: int
    end: int
    """Of what is sent: nothing, when it does not begin before it ends."""
    pieces: AsyncGenerator[bytes]
    """The first one is here already: what can go wrong has gone wrong before anything is sent."""


class Downloads:
    """Counts the downloads of a process, in all and of each user."""

    def __init__(self) -> None:
        self._running: Counter[UUID] = Counter()

    @contextmanager
    def place(self, user_id: UUID) -> Iterator[None]:
        """Take a place for one download while the context is open.

        Raises:
            TooManyAttempts: when the user has as many as one may have, or all places are taken.
        """
        if self._running[user_id] >= DOWNLOADS_OF_ONE_USER:
            raise TooManyAttempts(
                f"You are downloading {DOWNLOADS_OF_ONE_USER} files already. Wait until one of them has arrived.",
                retry_after_seconds=5,
            )
        if self._running.total() >= DOWNLOADS:
            raise TooManyAttempts("Too many files are being downloaded. Try again in a moment.", retry_after_seconds=5)
        self._running[user_id] += 1
        try:
            yield
        finally:
            self._running[user_id] -= 1
            if not self._running[user_id]:
                del self._running[user_id]


async def begun(pieces: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """Return the same pieces when the first one has been read; that fails, if anything does, while it can be said."""
    first = await anext(pieces, b"")

    async def all_of_them() -> AsyncGenerator[bytes]:
        async with aclosing(pieces) as rest:
            yield first
            async for piece in rest:
                yield piece

    return all_of_them()
