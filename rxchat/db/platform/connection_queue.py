"""The queue for connections: transactions wait in the order in which they came, and learn whether it is busy or away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from rxchat.domain.errors import DatabaseBusy, DatabaseUnavailable

BUSY_SECONDS = 25.0
"""How long a user would wait for a page."""
AWAY_SECONDS = 5.0
"""How long a transaction waits when the last one found no database."""


class ConnectionQueue:
    """Lets as many transactions go on at once as there are connections, first come, first served."""

    def __init__(self, at_once: int, *, busy_seconds: float = BUSY_SECONDS, away_seconds: float = AWAY_SECONDS) -> None:
        """Begin with all of them free."""
        self._free = asyncio.Semaphore(at_once)
        self._busy_seconds = busy_seconds
        self._away_seconds = away_seconds
        self.has_failed = False
        """Whether the last transaction found no database."""

    @asynccontextmanager
    async def slot(self) -> AsyncGenerator[None]:
        """Hold the right to a connection while the context is open.

        Raises:
            DatabaseBusy: when others had them all for too long.
            DatabaseUnavailable: when they had them because no database answers.
        """
        if self._free.locked():
            await self._wait()
        else:
            await self._free.acquire()
        try:
            yield
        finally:
            self._free.release()

    async def _wait(self) -> None:
        began = time.monotonic()
        # One future for the whole time: a new one would begin at the end of the queue.
        acquiring = asyncio.ensure_future(self._free.acquire())
        try:
            while not acquiring.done():
                await asyncio.wait({acquiring}, timeout=self._away_seconds)
                waited = time.monotonic() - began
                if not acquiring.done() and self.has_failed and waited >= self._away_seconds:
                    raise DatabaseUnavailable
                if not acquiring.done() and waited >= self._busy_seconds:
                    raise DatabaseBusy
        except BaseException:
            if not acquiring.cancel() and not acquiring.cancelled():
                # It came just now.
                self._free.release()
            raise
