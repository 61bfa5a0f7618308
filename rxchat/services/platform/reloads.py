"""Reads again what a process keeps of the database, whenever any process has changed it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from rxchat.background import BackgroundTask
from rxchat.domain.errors import DatabaseUnavailable
from rxchat.services.platform.pg_listener import PgListener

log = structlog.get_logger(__name__)

_RETRY_SECONDS = 2.0


class Reloads:
    """Calls `load` when the process starts, and after each notification of a kind; after a failure again, until it succeeds."""

    def __init__(self, pg_listener: PgListener, kind: str, load: Callable[[], Awaitable[None]]) -> None:
        """Subscribe to the notifications of this kind, which a trigger sends."""
        self._kind, self._load = kind, load
        self._has_changed = asyncio.Event()
        self._task = BackgroundTask(f"reloads of {kind}")
        pg_listener.subscribe(kind, self._hear)

    def _hear(self, rest: str) -> None:
        del rest
        self._has_changed.set()

    async def start(self) -> None:
        """Load, and follow changes."""
        self._has_changed.set()
        try:
            await self._load()
        except DatabaseUnavailable:
            log.warning("the database cannot be read yet", kind=self._kind)
        self._task.start(self._follow())

    async def stop(self) -> None:
        """Follow no more changes."""
        await self._task.stop()

    async def _follow(self) -> None:
        while True:
            await self._has_changed.wait()
            self._has_changed.clear()
            try:
                await self._load()
            except Exception:
                # The edge of the task: after any failure it is read again.
                log.exception("a change in the database cannot be read", kind=self._kind)
                self._has_changed.set()
                await asyncio.sleep(_RETRY_SECONDS)
