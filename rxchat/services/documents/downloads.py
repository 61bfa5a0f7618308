"""Limits concurrent downloads: each holds a part of a file in memory until its client has read it."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from uuid import UUID

from rxchat.domain.errors import TooManyAttempts

DOWNLOADS = 128
"""The maximum in this process: at 2 MB each they need 256 MB."""
DOWNLOADS_OF_ONE_USER = 8


@dataclass(frozen=True, slots=True)
class Content:
    """A stored file that is being sent."""

    name: str
    media_type: str
    size_bytes: int
    start: int
    end: int
    """The range that is sent; empty if `end` is not after `start`."""
    pieces: AsyncGenerator[bytes]
    """The first piece was already read, so that errors are raised before the response starts."""


class Downloads:
    """Counts the downloads of a process, in total and for each user."""

    def __init__(self) -> None:
        self._running: Counter[UUID] = Counter()

    @contextmanager
    def place(self, user_id: UUID) -> Iterator[None]:
        """Reserve a download while the context is open.

        Raises:
            TooManyAttempts: when the user or the process has the maximum number.
        """
        if self._running[user_id] >= DOWNLOADS_OF_ONE_USER:
            raise TooManyAttempts(
                f"You are already downloading {DOWNLOADS_OF_ONE_USER} files. Wait until one of them has finished.",
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
    """Return the same pieces after the first one was read, so that a failure is raised before the response starts."""
    first = await anext(pieces, b"")

    async def all_of_them() -> AsyncGenerator[bytes]:
        async with aclosing(pieces) as rest:
            yield first
            async for piece in rest:
                yield piece

    return all_of_them()
