"""Claims jobs round-robin between owners; procrastinate itself only considers priorities."""

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
"""After each attempt; shorter in sum than the shutdown of a process may take."""


class QueueWorker(procrastinate.worker.Worker):
    """A worker of one queue that `wake` can make look for jobs."""

    def wake(self) -> None:
        """Look for jobs now instead of at the next notification or poll."""
        self._new_job_event.set()


class JobClaims(JobManager):
    """Claims jobs within a limit for each owner, by queue; queues without a limit work as in procrastinate."""

    def __init__(
        self, connector: BaseConnector, most_of_one_owner: Mapping[str, int], on_end: Callable[[], None]
    ) -> None:
        super().__init__(connector)
        self._most = most_of_one_owner
        self._on_end = on_end
        self._ended = 0
        # Claims wait for each other in the database; each one would occupy a connection that heartbeats need.
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
            # A job ended during the query; returning None would make the worker ignore the wake-up.

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        """Store that a job has ended, which lets its owner's next job start."""
        await self._persist(job, partial(super().finish_job, job, status, delete_job))

    async def retry_job(
        self,
        job: Job,
        retry_at: datetime | None = None,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        """Queue a job again, which lets its owner's next job start."""
        await self._persist(job, partial(super().retry_job, job, retry_at, priority, queue, lock))

    async def _persist(self, job: Job, write: Callable[[], Awaitable[None]]) -> None:
        """Store the result of a job.

        Retries for a moment while the database does not respond; then another worker repeats the job as if this one had
        died.
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
