"""A fair queue for connections, which distinguishes a busy from an unavailable database."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from rxchat.domain.errors import DatabaseBusy, DatabaseUnavailable

BUSY_SECONDS = 25.0
"""About the time that a user waits for a page."""
AWAY_SECONDS = 5.0
"""The wait of a transaction after the last one found no database."""


class ConnectionQueue:
    """Limits concurrent transactions to the number of connections, in the order of their arrival."""

    def __init__(self, at_once: int, *, busy_seconds: float = BUSY_SECONDS, away_seconds: float = AWAY_SECONDS) -> None:
        """Start with all slots free."""
        self._free = asyncio.Semaphore(at_once)
        self._busy_seconds = busy_seconds
        self._away_seconds = away_seconds
        self.has_failed = False
        """Whether the last transaction found no database."""

    @asynccontextmanager
    async def slot(self) -> AsyncGenerator[None]:
        """Hold a slot for a connection while the context is open.

        Raises:
            DatabaseBusy: if no slot was free for too long.
            DatabaseUnavailable: if no slot was free because the database does not respond.
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
        # One future for the whole wait: a new one would start at the end of the queue.
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
                # The slot was acquired just now.
                self._free.release()
            raise
