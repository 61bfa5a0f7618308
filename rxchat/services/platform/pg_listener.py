"""Notifications of Postgres: one connection listens for the whole process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress

import structlog

from rxchat.domain.errors import DatabaseUnavailable

log = structlog.get_logger(__name__)

_RECONNECT_SECONDS = 1.0


class PgListener:
    """Hands each notice to whoever asked for its kind, and says when some may have been missed."""

    def __init__(self, listen: Callable[[], AsyncGenerator[str]]) -> None:
        """Know how to listen; nothing is connected yet."""
        self._listen = listen
        self._hearers: dict[str, Callable[[str], None]] = {}
        self._task: asyncio.Task[None] | None = None
        self.listening = asyncio.Event()

    def subscribe(self, kind: str, hear: Callable[[str], None]) -> None:
        """Call `hear` with the rest of each notice of this kind; with "" when notices may have been missed.

        Raises:
            RuntimeError: when something hears notices of this kind already: it would be deaf from then on.
        """
        if kind in self._hearers:
            raise RuntimeError(f"notices of the kind {kind!r} are heard already")
        self._hearers[kind] = hear

    async def start(self) -> None:
        """Begin to listen."""
        self._task = asyncio.create_task(self._listen_forever(), name="notices")

    async def stop(self) -> None:
        """Listen no more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _listen_forever(self) -> None:
        while True:
            try:
                async for payload in self._listen():
                    self._dispatch(payload)
                    self.listening.set()
            except DatabaseUnavailable:
                log.warning("postgres tells nothing just now: the connection that listens is lost")
            except Exception:
                # The edge of the listener: whatever keeps it from listening, it says that it is deaf, and tries again.
                log.exception("postgres cannot be listened to")
            finally:
                self.listening.clear()
            await asyncio.sleep(_RECONNECT_SECONDS)

    def _dispatch(self, payload: str) -> None:
        kind, _, rest = payload.partition(" ")
        hearers = self._hearers.values() if payload == "" else [self._hearers[kind]] if kind in self._hearers else []
        for hear in hearers:
            try:
                hear(rest)
            except Exception:
                # The edge of the listener: one that fails to hear must not make the whole process deaf.
                log.exception("a notice was not understood", kind=kind)
