"""Sending mail beside the request that wants it: nobody learns from the time of an answer what was sent."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import structlog

from rxchat import observability
from rxchat.domain.mail import Letter, MailAway, Mailer

log = structlog.get_logger(__name__)

_TRIES = 4
_PAUSE_SECONDS = 5.0


class Post:
    """Sends letters in the background, and tries again for a while when the server is away."""

    def __init__(self, mailer: Mailer | None, base_url: str) -> None:
        """Know who sends, if anybody does, and the address that links begin with."""
        self._mailer = mailer
        self.base_url = base_url
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_there(self) -> bool:
        """Whether mail can be sent at all."""
        return self._mailer is not None

    def send(self, letter: Letter) -> None:
        """Send a letter soon."""
        if self._mailer is not None:
            self.beside(self._send(self._mailer, letter))

    def beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something after the answer to whoever asks for it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, mailer: Mailer, letter: Letter) -> None:
        for attempt in range(1, _TRIES + 1):
            try:
                await mailer.send(letter)
            except MailAway as error:
                log.warning("a mail could not be sent", attempt=attempt, reason=str(error), subject=letter.subject)
                observability.MAILS.labels("failed").inc()
                await asyncio.sleep(_PAUSE_SECONDS * attempt)
            else:
                observability.MAILS.labels("sent").inc()
                return
        log.error("a mail was given up", subject=letter.subject)

    async def settled(self) -> None:
        """Wait until all that was to be done is done."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def stop(self) -> None:
        """Give what is on its way a moment, and end."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=2)
        for task in set(self._tasks):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
