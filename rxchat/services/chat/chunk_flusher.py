"""Stores the text of all answers of an engine, in one transaction a few times a second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Protocol
from uuid import UUID

import structlog

from rxchat.background import BackgroundTask
from rxchat.db.chat import runs as rows
from rxchat.db.platform.database import Database
from rxchat.domain.errors import DatabaseUnavailable
from rxchat.domain.runs import CHUNK_SECONDS, PendingChunk

log = structlog.get_logger(__name__)

_USUAL_SECONDS = 0.22
"""Text that has waited longer for its storage is not broadcast: it might be lost in a crash, and other processes should
not have shown more than a quarter of a second of lost text."""


class Unsaved(Protocol):
    """An answer with text that is not stored yet."""

    def pending(self) -> list[PendingChunk]:
        """Return the text that is not stored yet."""
        ...

    def stored(self, pieces: Iterable[PendingChunk]) -> None:
        """Note that these chunks are stored."""
        ...


class ChunkFlusher:
    """Stores the chunks of all answers that one engine writes."""

    def __init__(self, database: Database, engine_id: UUID, lost: Callable[[UUID], None]) -> None:
        self._database = database
        self._engine_id = engine_id
        self._lost = lost
        self._writers: dict[UUID, Unsaved] = {}
        self._saving = asyncio.Lock()
        self._arrived = asyncio.Event()
        self._waits_since: float | None = None
        self._task = BackgroundTask("chunk flusher")

    def start(self) -> None:
        """Start the background task."""
        self._task.start(self._forever())

    async def stop(self) -> None:
        """Stop the background task."""
        await self._task.stop()

    def register(self, run_id: UUID, writer: Unsaved) -> None:
        """Start storing the text of a writer."""
        self._writers[run_id] = writer

    def unregister(self, run_id: UUID) -> None:
        """Stop storing the text of a writer, which stores the rest itself."""
        self._writers.pop(run_id, None)

    def wake(self) -> None:
        """Signal that new text exists."""
        if self._waits_since is None:
            self._waits_since = time.monotonic()
        self._arrived.set()

    def is_current(self) -> bool:
        """Whether storage keeps up: no text has waited longer than usual."""
        return self._waits_since is None or time.monotonic() - self._waits_since < _USUAL_SECONDS

    async def _forever(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            # Collect more text for the same transaction.
            await asyncio.sleep(CHUNK_SECONDS)
            try:
                await self.save_all()
            except DatabaseUnavailable:
                # The text stays in memory, and the next round retries.
                log.warning("chunks of answers wait for the database", answers=len(self._writers))
                self._arrived.set()
            except Exception:
                # The edge of the flusher: without this loop, answers would be in memory only.
                log.exception("chunks of answers could not be stored")
                self._arrived.set()

    async def save_all(self) -> None:
        """Store the new text of all writers.

        Raises:
            DatabaseUnavailable: when Postgres does not respond; the text stays with its writers.
        """
        async with self._saving:
            began = time.monotonic()
            found = list(self._writers.items())
            pieces = {run_id: pending for run_id, writer in found if (pending := writer.pending())}
            if not pieces:
                self._waits_since = None
                return
            async with self._database.autocommit() as session:
                refused = await rows.append_chunks(
                    session, self._engine_id, [piece for pending in pieces.values() for piece in pending]
                )
            for run_id, writer in found:
                if run_id in refused:
                    self._lost(run_id)
                elif run_id in pieces:
                    writer.stored(pieces[run_id])
            self._waits_since = began if any(writer.pending() for writer in self._writers.values()) else None
