"""E-mail as jobs in Postgres: queued in the transaction that causes it, sent by a worker, with retries.

Queued e-mails are encrypted, since they contain one-time links. They are sent outside of the request, so that the
response time does not reveal whether one was sent.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from rxchat import observability
from rxchat.db.platform import jobs
from rxchat.db.platform.database import Database
from rxchat.domain.ids import new_id
from rxchat.domain.mail import Letter, Mailer, MailUnavailable
from rxchat.services.platform.encryption import DecryptionFailed, SecretBox

log = structlog.get_logger(__name__)

TRIES = 12
"""About an hour and a quarter in all; a password link is valid for one hour."""
_FIRST_PAUSE_SECONDS = 5.0
_LONGEST_PAUSE_SECONDS = 900.0
_PURPOSE = "queued mail"
_SETTLED_EVERY_SECONDS = 0.02


class MailSender:
    """Queues e-mails and sends them."""

    def __init__(self, mailer: Mailer | None, base_url: str, secret_box: SecretBox, database: Database) -> None:
        """Store the mailer (None if e-mail is not configured), and the address that links begin with."""
        self._mailer = mailer
        self.base_url = base_url
        self._secret_box = secret_box
        self._database = database
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_configured(self) -> bool:
        """Whether e-mail is configured."""
        return self._mailer is not None

    async def queue(self, session: AsyncSession, letter: Letter) -> None:
        """Queue an e-mail with this transaction; does nothing if e-mail is not configured."""
        if self._mailer is None:
            return
        told = json.dumps(asdict(replace(letter, id=new_id().hex))).encode()
        sealed = self._secret_box.seal(_PURPOSE, "", told)
        await jobs.enqueue_mail(session, base64.b64encode(sealed).decode())

    async def deliver(self, sealed: str, attempt: int) -> float | None:
        """Send a queued e-mail. Returns the seconds until the next attempt, or None if it was sent or discarded."""
        try:
            told = json.loads(self._secret_box.open(_PURPOSE, "", base64.b64decode(sealed)))
            letter = Letter(**told)
        except (DecryptionFailed, ValueError, TypeError):
            log.error("an e-mail was discarded: it cannot be decrypted, perhaps the secret key was replaced")  # noqa: TRY400
            return None
        try:
            if self._mailer is None:
                raise MailUnavailable("this process has no RXCHAT_SMTP_URL")
            await self._mailer.send(letter)
        except MailUnavailable as error:
            observability.MAILS.labels("failed").inc()
            return self._next_try(letter, attempt, str(error))
        observability.MAILS.labels("sent").inc()
        return None

    def _next_try(self, letter: Letter, attempt: int, reason: str) -> float | None:
        facts = {"subject": letter.subject, "reason": reason, "attempt": attempt}
        if attempt >= TRIES:
            log.error("an e-mail was discarded", **facts)
            return None
        log.warning("an e-mail could not be sent", **facts)
        return min(_FIRST_PAUSE_SECONDS * 2 ** (attempt - 1), _LONGEST_PAUSE_SECONDS)

    def run_in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine after the response."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def drain(self) -> None:
        """Wait until background work is done and no e-mail is queued."""
        while True:
            while self._tasks:
                await asyncio.wait(set(self._tasks))
            async with self._database.begin(None) as session:
                if not await jobs.count_mails(session):
                    return
            await asyncio.sleep(_SETTLED_EVERY_SECONDS)

    async def stop(self) -> None:
        """Wait briefly for background work, then cancel it; queued e-mails stay queued."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=2)
        for task in set(self._tasks):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
