"""The worker: fetches jobs from their queues and calls services; one in each process that runs jobs.

Jobs are rows in Postgres (procrastinate), queued in the transaction that makes them necessary. If a process dies,
another worker repeats its jobs after some seconds without a heartbeat.
"""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from uuid import UUID

import psycopg
import structlog
from procrastinate import App, JobContext, PsycopgConnector
from procrastinate.exceptions import ConnectorException, JobAborted
from procrastinate.jobs import Job
from procrastinate.retry import BaseRetryStrategy, RetryDecision

from rxchat.db.platform.database import LINE, RUNTIME_ROLE, SESSION_OPTIONS, WITHOUT_ROLE_SETTINGS
from rxchat.db.platform.jobs import (
    DOCUMENTS_QUEUE,
    INGEST,
    LAST_PRIORITY,
    MAIL_QUEUE,
    QUICK_QUEUE,
    SCANS_QUEUE,
    SEND_MAIL,
)
from rxchat.domain.errors import DatabaseUnavailable, EmbedderError, StorageError
from rxchat.jobs.claims import JobClaims, QueueWorker
from rxchat.services.documents.ingestion import Ingestion
from rxchat.services.documents.vector_index import SliceOver
from rxchat.services.platform.mail_sender import MailSender

log = structlog.get_logger(__name__)

_HEARTBEAT_SECONDS = 2.0
_LOST_SECONDS = 10.0
_LOOK_AFTER_SECONDS = 5.0
_POLL_SECONDS = 5.0
_GRACE_SECONDS = 1.0
_STOP_ROUNDS = 3
_RESTART_SECONDS = 1.0
_POOL_SECONDS = 3.0
_MAILS_AT_ONCE = 4
QUICK_PLACES = 2
QUICK_CPU_SECONDS = 2
"""The processor time for ingesting a small file; one that takes more is moved to the queue of large ones.

Processor time and not elapsed time: on a busy machine, the smallest file takes seconds. See also
`SMALL_BATCHES` in services/documents/vector_index.py.
"""
_QUICK_SECONDS = 20.0
"""The time for which a small file may wait for a slow file store while other owners' files are queued."""
_PASSING = (EmbedderError, StorageError)
_DATABASE_SECONDS = 2.0


class _Postponed(Exception):
    """A job that is retried after `seconds`."""

    def __init__(self, seconds: float) -> None:
        """Raised to retry a job after `seconds`."""
        super().__init__(seconds)
        self.seconds = seconds


class _Backoff(BaseRetryStrategy):
    """Retries temporary failures with growing delays, and jobs that a shutdown interrupted at once."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """Return when to retry, or None for never."""
        if isinstance(exception, (asyncio.CancelledError, JobAborted)):
            return RetryDecision(retry_in={"seconds": 0})
        if isinstance(exception, SliceOver) and job.queue == QUICK_QUEUE:
            # Its first attempt among the large files, which are also claimed round-robin between owners.
            return RetryDecision(retry_in={"seconds": 0}, queue=DOCUMENTS_QUEUE)
        if isinstance(exception, SliceOver):
            # After its owner's files that wait for their first attempt, attached ones too, but never after all of many.
            return RetryDecision(retry_in={"seconds": 0}, priority=_behind(job))
        if isinstance(exception, _Postponed):
            return RetryDecision(retry_in={"seconds": math.ceil(exception.seconds)})
        return None


def _behind(job: Job) -> int:
    # Jobs that no user waits for stay behind all jobs that users wait for.
    return min(job.priority, max(min(job.priority, 0) - 1, LAST_PRIORITY))


async def _configure(connection: psycopg.AsyncConnection) -> None:
    """Use autocommit, so that a stopped process holds no lock that keeps others from claiming jobs."""
    await connection.set_autocommit(True)
    await connection.execute(WITHOUT_ROLE_SETTINGS)


class Worker:
    """Runs jobs between `start` and `stop`."""

    def __init__(
        self, database_url: str, ingestion: Ingestion, mail_sender: MailSender, *, jobs_at_once: int = 3
    ) -> None:
        """Configure the worker; `start` starts it.

        One owner gets at most `jobs_at_once - 1` slots for documents at a time, so that one is left for others. Small
        files have separate slots, and leave them if they turn out to be much work. Slots go round-robin to owners.
        """
        self._ingestion = ingestion
        self._mail_sender = mail_sender
        self._jobs_at_once = jobs_at_once
        options = {
            **LINE,
            "options": f"-c role={RUNTIME_ROLE} {SESSION_OPTIONS}",
            "application_name": "rxchat jobs",
        }
        connector = PsycopgConnector(
            # One for claims, the other one for heartbeats and results.
            conninfo=database_url,
            kwargs=options,
            min_size=1,
            max_size=2,
            timeout=_POOL_SECONDS,
            configure=_configure,
        )
        self._app = App(connector=connector)
        most_of_one_owner = {DOCUMENTS_QUEUE: max(1, jobs_at_once - 1), QUICK_QUEUE: QUICK_PLACES, SCANS_QUEUE: 1}
        self._app.job_manager = JobClaims(connector, most_of_one_owner, self._wake)
        self._app.task(name=INGEST, queue=DOCUMENTS_QUEUE, pass_context=True, retry=_Backoff())(self._ingest)
        self._app.task(name=SEND_MAIL, queue=MAIL_QUEUE, pass_context=True, retry=_Backoff())(self._send_mail)
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()
        self._workers: dict[str, QueueWorker] = {}

    async def start(self) -> None:
        """Start to run jobs."""
        self._tasks = [
            asyncio.create_task(loop(), name=f"jobs {loop.__name__}")
            for loop in (self._work_forever, self._look_after_forever)
        ]

    async def stop(self) -> None:
        """Stop fetching jobs, and release running ones, which other workers resume at their last step."""
        self._stopping.set()
        for worker in self._workers.values():
            worker.stop()
        waiting = set(self._tasks)
        for _ in range(_STOP_ROUNDS):
            if not waiting:
                return
            _, waiting = await asyncio.wait(waiting, timeout=_GRACE_SECONDS + 0.5)
            # As if Postgres did not respond: other workers repeat these jobs after their heartbeats are missing.
            for task in waiting:
                task.cancel()
        if waiting:
            log.warning("jobs could not be released in time")

    async def _work_forever(self) -> None:
        while not self._stopping.is_set():
            try:
                await self._work()
            except Exception:
                # The edge of the worker: without this loop, no document would be ingested any more.
                log.exception("the worker failed")
            await self._rest(_RESTART_SECONDS)

    async def _work(self) -> None:
        try:
            await self._app.open_async()
            self._workers = {
                DOCUMENTS_QUEUE: self._worker(DOCUMENTS_QUEUE, self._jobs_at_once),
                QUICK_QUEUE: self._worker(QUICK_QUEUE, QUICK_PLACES),
                # Other processes do not notify that a document's first job has ended, after which the second may start.
                SCANS_QUEUE: self._worker(SCANS_QUEUE, 1, look_seconds=1.0),
                MAIL_QUEUE: self._worker(MAIL_QUEUE, _MAILS_AT_ONCE),
            }
            if not self._stopping.is_set():
                async with asyncio.TaskGroup() as group:
                    # One connection listens for all queues.
                    listening = group.create_task(self._listen())
                    await asyncio.wait([group.create_task(worker.run()) for worker in self._workers.values()])
                    listening.cancel()
        except* (ConnectorException, psycopg.Error, OSError):
            log.warning("jobs wait for the database")
        finally:
            self._workers = {}
            # A pool that is not closed leaves tasks that cannot be cancelled.
            await asyncio.shield(asyncio.ensure_future(self._app.close_async()))

    def _worker(self, queue: str, jobs_at_once: int, look_seconds: float = _POLL_SECONDS) -> QueueWorker:
        return QueueWorker(
            self._app,
            queues=[queue],
            concurrency=jobs_at_once,
            fetch_job_polling_interval=look_seconds,
            listen_notify=False,
            install_signal_handlers=False,
            shutdown_graceful_timeout=_GRACE_SECONDS,
            update_heartbeat_interval=_HEARTBEAT_SECONDS,
            stalled_worker_timeout=_LOST_SECONDS,
            delete_jobs="always",
        )

    async def _listen(self) -> None:
        """Wake the worker of a queue when Postgres notifies of a new job."""

        async def hear(*, channel: str, notification: object) -> None:
            del notification
            # The names of channels are PREFIX#QUEUE.
            if worker := self._workers.get(channel.partition("#")[2]):
                worker.wake()

        await self._app.job_manager.listen_for_jobs(on_notification=hear, queues=[*self._workers])

    def _wake(self) -> None:
        """Wake workers after the end of a job, since others of its owner or document may now start."""
        for worker in self._workers.values():
            worker.wake()

    async def _rest(self, seconds: float) -> None:
        """Wait for `seconds`, or until the worker stops."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    async def _look_after_forever(self) -> None:
        while True:
            await self._rest(_LOOK_AFTER_SECONDS)
            if self._stopping.is_set():
                return
            try:
                await self._take_over_lost()
                await self._ingestion.look_after()
            except (DatabaseUnavailable, ConnectorException, psycopg.Error, OSError):
                log.debug("stalled jobs cannot be retried, the database does not respond")
            except Exception:
                # The edge of the worker: the next attempt may succeed.
                log.exception("stalled jobs could not be retried")

    async def _take_over_lost(self) -> None:
        """Queue the jobs of dead processes again."""
        manager = self._app.job_manager
        await manager.prune_stalled_workers(_LOST_SECONDS)
        for job in await manager.get_stalled_jobs(seconds_since_heartbeat=_LOST_SECONDS):
            log.warning("a job was lost with its process, and is retried", job_id=job.id)
            await manager.retry_job(job)

    async def _ingest(self, context: JobContext, owner_id: str, document_id: str) -> None:
        owner, document = UUID(owner_id), UUID(document_id)
        try:
            if context.job.queue == QUICK_QUEUE:
                await self._ingest_quickly(owner, document)
            else:
                await self._ingestion.run(owner, document, queue=context.job.queue)
        except SliceOver:
            raise
        except DatabaseUnavailable as error:
            raise _Postponed(_DATABASE_SECONDS) from error
        except _PASSING as error:
            log.info("a document is retried later", document_id=document_id, reason=error.message)
            try:
                seconds = await self._ingestion.postpone(owner, document, error.message, error.detail)
            except DatabaseUnavailable as away:
                raise _Postponed(_DATABASE_SECONDS) from away
            if seconds is not None:
                raise _Postponed(seconds) from error
        except Exception:
            # The edge of a job: an unexpected error ends the job with a reason instead of endless retries.
            log.exception("a document failed unexpectedly", document_id=document_id)
            await self._ingestion.give_up(
                owner, document, "An internal error occurred while it was processed.", context.job.attempts + 1
            )

    async def _ingest_quickly(self, owner_id: UUID, document_id: UUID) -> None:
        """Ingest a small file.

        Raises:
            SliceOver: if it is too much work, or too slow while other owners' files wait; finished steps are kept.
        """
        working = asyncio.ensure_future(self._ingestion.run(owner_id, document_id, queue=QUICK_QUEUE))
        try:
            while not (await asyncio.wait({working}, timeout=_QUICK_SECONDS))[0]:
                if await self._ingestion.other_owners_wait(owner_id):
                    raise SliceOver
            await working
        finally:
            if not working.done():
                working.cancel()
                await asyncio.gather(working, return_exceptions=True)

    async def _send_mail(self, context: JobContext, sealed: str) -> None:
        seconds = await self._mail_sender.deliver(sealed, context.job.attempts + 1)
        if seconds is not None:
            raise _Postponed(seconds)
