"""Claiming jobs so that places go round between owners; procrastinate's own claim looks at priorities alone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial

import procrastinate.worker
import structlog
from procrastinate.connector import BaseConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager

from rxchat.db.platform.jobs import CLAIM

log = structlog.get_logger(__name__)

_PAUSES_SECONDS = (0.5, 1.5, 0.0)
"""After each try; together less than a process has to end in."""


class QueueWorker(procrastinate.worker.Worker):
    """A worker of one queue that can be told to look for jobs."""

    def wake(self) -> None:
        """Look for jobs now, and not at the next notice or poll."""
        self._new_job_event.set()


class JobClaims(JobManager):
    """Claims jobs within a limit for each owner, by queue; queues without a limit are claimed as procrastinate does."""

    def __init__(
        self, connector: BaseConnector, most_of_one_owner: Mapping[str, int], on_end: Callable[[], None]
    ) -> None:
        super().__init__(connector)
        self._most = most_of_one_owner
        self._on_end = on_end
        self._ended = 0
        # In the database claims wait for each other, and each would keep a connection from heartbeats meanwhile.
        self._claiming = asyncio.Lock()

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        """Claim the next job, or return None."""
        names = list(queues or ())
        limits = [self._most[name] for name in names if name in self._most]
        if not limits:
            return await super().fetch_job(queues, worker_id)
        while True:
            ended = self._ended
            async with self._claiming:
                row = await self.connector.execute_query_one_async(
                    CLAIM, queues=names, worker_id=worker_id, most=min(limits)
                )
            if row["id"] is not None:
                return Job.from_row(row)
            if ended == self._ended:
                return None
            # A job ended while this was asked: the worker forgets that it was woken when None is returned.

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        """Note that a job has ended; its owner has a place again."""
        await self._persist(job, partial(super().finish_job, job, status, delete_job))

    async def retry_job(
        self,
        job: Job,
        retry_at: datetime | None = None,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        """Queue a job again; its owner has a place again."""
        await self._persist(job, partial(super().retry_job, job, retry_at, priority, queue, lock))

    async def _persist(self, job: Job, write: Callable[[], Awaitable[None]]) -> None:
        """Write what has become of a job.

        While the database does not respond it is tried for a moment; then the job is lost with this worker, and is taken up again.
        """
        for pause in _PAUSES_SECONDS:
            with suppress(ConnectorException):
                await write()
                break
            await asyncio.sleep(pause)
        else:
            log.warning("the result of a job could not be stored, the database does not respond", job_id=job.id)
        self._tell()

    def _tell(self) -> None:
        self._ended += 1
        self._on_end()
