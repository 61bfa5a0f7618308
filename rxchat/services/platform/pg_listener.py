"""Postgres notifications: one connection listens for the whole process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

import structlog

from rxchat.background import BackgroundTask
from rxchat.domain.errors import DatabaseUnavailable

log = structlog.get_logger(__name__)

_RECONNECT_SECONDS = 1.0


class PgListener:
    """Passes notifications to the subscriber of their kind, and reports when some may have been missed."""

    def __init__(self, listen: Callable[[], AsyncGenerator[str]]) -> None:
        self._listen = listen
        self._hearers: dict[str, Callable[[str], None]] = {}
        self._task = BackgroundTask("postgres listener")
        self.listening = asyncio.Event()

    def subscribe(self, kind: str, hear: Callable[[str], None]) -> None:
        """Call `hear` with the payload of each notification of this kind; with "" if some may have been missed.

        Raises:
            RuntimeError: when this kind already has a subscriber, which would be replaced.
        """
        if kind in self._hearers:
            raise RuntimeError(f"notifications of the kind {kind!r} already have a subscriber")
        self._hearers[kind] = hear

    async def start(self) -> None:
        """Start listening."""
        self._task.start(self._listen_forever())

    async def stop(self) -> None:
        """Stop listening."""
        await self._task.stop()

    async def _listen_forever(self) -> None:
        while True:
            try:
                async for payload in self._listen():
                    self._dispatch(payload)
                    self.listening.set()
            except DatabaseUnavailable:
                log.warning("the connection for postgres notifications is lost")
            except Exception:
                # The edge of the listener: after any failure it reports the gap and reconnects.
                log.exception("postgres notifications cannot be received")
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
                # The edge of the listener: a failing subscriber must not stop the others.
                log.exception("a subscriber could not handle a notification", kind=kind)
