"""The run engine: claims runs with a lease, and generates their answers.

A run belongs to no tab, handler or socket. If this process dies, the lease expires and another engine (or this
machine's next start) continues from the stored text.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

import structlog

from rxchat import observability
from rxchat.db.chat import runs as run_rows
from rxchat.db.platform.database import Database
from rxchat.domain.errors import DatabaseUnavailable
from rxchat.domain.ids import new_id, parse_id
from rxchat.domain.ports import ChatModel
from rxchat.domain.runs import LEASE_SECONDS, RENEW_SECONDS, ClaimedRun, RunLimits
from rxchat.services.chat.answer_generator import AnswerGenerator
from rxchat.services.chat.answer_prompts import AnswerPrompts, FindDefaults, FindFallbacks, no_defaults, no_fallbacks
from rxchat.services.chat.answer_streams import AnswerStreams
from rxchat.services.chat.chunk_flusher import ChunkFlusher
from rxchat.services.chat.seen_pictures import SeenPictures
from rxchat.services.models.metering import Metering
from rxchat.services.platform.pg_listener import PgListener
from rxchat.services.retrieval.prompt_context import PromptContextBuilder

log = structlog.get_logger(__name__)

_CLAIM_SECONDS = 1.0
_AT_ONCE = 256
"""How many answers one engine writes at once; further runs are left to other engines."""
_HAND_OVER_SECONDS = 1.5
"""How long a stopping process may take to store text and release its runs; afterwards the leases expire."""
_CLAIM_PATIENCE_SECONDS = 0.3
_AT_A_TIME = 16
"""How many runs it claims at a time, so that engines that are woken together share them."""


class Interruption(StrEnum):
    """Why an engine interrupts an answer."""

    STOPPED = "stopped"
    """The user stopped it: it ends here."""
    RELEASED = "released"
    """This process stops: another engine continues."""
    LOST = "lost"
    """Another engine has claimed it: this one must not write any more."""


@dataclass(slots=True)
class _Job:
    run: ClaimedRun
    writer: AnswerGenerator | None = None
    writing: asyncio.Task[None] | None = None
    interruption: Interruption | None = None
    task: asyncio.Task[None] | None = field(default=None)

    def interrupt(self, why: Interruption) -> None:
        if self.interruption is None:
            self.interruption = why
            if self.writing is not None:
                self.writing.cancel()


class RunEngine:
    """Writes answers between `start` and `stop`; one for each process that does background work."""

    def __init__(
        self,
        database: Database,
        model: ChatModel,
        metering: Metering,
        answer_streams: AnswerStreams,
        pg_listener: PgListener,
        *,
        limits: RunLimits | None = None,
        longest_seconds: float = 3600.0,
        prompt_context_builder: PromptContextBuilder | None = None,
        find_defaults: FindDefaults = no_defaults,
        pictures: SeenPictures | None = None,
        find_fallbacks: FindFallbacks = no_fallbacks,
    ) -> None:
        self.id = new_id()
        self._database = database
        self._model = model
        self._metering = metering
        self._answer_streams = answer_streams
        pg_listener.subscribe("run", self._hear)
        pg_listener.subscribe("host", model.note_heard)
        self._limits = limits or RunLimits()
        self._longest_seconds = longest_seconds
        self._prompts = AnswerPrompts(database, model, prompt_context_builder, find_defaults, pictures)
        self._find_fallbacks = find_fallbacks
        self._chunk_flusher = ChunkFlusher(database, self.id, self._lose)
        self._jobs: dict[UUID, _Job] = {}
        self._wake = asyncio.Event()
        self._loops: list[asyncio.Task[None]] = []
        self._closing = False
        self._unheard: set[UUID] = set()
        """Requests to stop runs that this engine may be claiming at the moment."""

    async def start(self) -> None:
        """Start to claim runs and write answers."""
        self._chunk_flusher.start()
        self._loops = [
            asyncio.create_task(loop(), name=f"run engine {loop.__name__}")
            for loop in (self._claim_forever, self._renew_forever)
        ]

    async def stop(self) -> None:
        """Store all text and release the runs, so that another engine continues them."""
        self._closing = True
        self._wake.set()
        for job in list(self._jobs.values()):
            job.interrupt(Interruption.RELEASED)
        if self._loops:
            with suppress(TimeoutError, DatabaseUnavailable):
                async with asyncio.timeout(_HAND_OVER_SECONDS):
                    await self._hand_over()
        tasks = [*self._loops, *(job.task for job in self._jobs.values() if job.task)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._chunk_flusher.stop()

    async def _hand_over(self) -> None:
        """Store the remaining text and release all runs together."""
        claiming, renewing = self._loops
        renewing.cancel()
        if writing := [job.task for job in self._jobs.values() if job.task]:
            await asyncio.wait(writing)
        await self._chunk_flusher.save_all()
        # Runs that are being claimed are released, too, but without waiting long for another engine's claim.
        await asyncio.wait({claiming}, timeout=_CLAIM_PATIENCE_SECONDS)
        claiming.cancel()
        async with self._database.autocommit() as session:
            released = await run_rows.release(session, self.id)
        if released:
            log.info("answers were handed over", count=released)

    def _lose(self, run_id: UUID) -> None:
        job = self._jobs.get(run_id)
        if job is not None:
            job.interrupt(Interruption.LOST)

    def _hear(self, payload: str) -> None:
        verb, _, run = payload.partition(" ")
        job = self._jobs.get(parse_id(run) or self.id)
        if verb == "stop" and job is not None:
            job.interrupt(Interruption.STOPPED)
        elif verb == "stop" and self._loops:
            self._unheard.add(parse_id(run) or self.id)
        else:
            self._wake.set()

    async def _claim_forever(self) -> None:
        while not self._closing:
            self._wake.clear()
            try:
                while not self._closing and await self._claim_some():
                    pass
            except DatabaseUnavailable:
                log.warning("the run engine cannot claim runs, the database does not respond")
            except Exception:
                # The edge of the engine: without this loop no question would be answered.
                log.exception("the run engine could not claim runs")
            # Woken by a notification; polling finds runs whose engine died.
            with suppress(TimeoutError):
                async with asyncio.timeout(_CLAIM_SECONDS):
                    await self._wake.wait()

    async def _claim_some(self) -> bool:
        self._unheard.clear()
        room = min(_AT_ONCE - len(self._jobs), _AT_A_TIME)
        if room <= 0:
            return False
        async with self._database.autocommit() as session:
            claimed = await run_rows.claim(session, self.id, LEASE_SECONDS, room, self._limits, list(self._jobs))
        if self._closing:
            # `_hand_over` releases them with all others.
            return False
        for run in claimed:
            job = self._jobs[run.id] = _Job(run)
            if run.is_unwanted or run.id in self._unheard:
                job.interrupt(Interruption.STOPPED)
            job.task = asyncio.create_task(self._work(job), name=f"run {run.id}")
        return len(claimed) == room

    async def _renew_forever(self) -> None:
        while True:
            renewed_at = time.monotonic()
            await asyncio.sleep(RENEW_SECONDS)
            asked = list(self._jobs)
            if not asked:
                continue
            try:
                async with self._database.autocommit() as session:
                    held = await run_rows.renew_run_leases(session, self.id, asked, LEASE_SECONDS)
                    for host in self._model.hosts_heard_since(renewed_at):
                        # Other engines may have requests in this host's queue.
                        await run_rows.notify_host_active(session, host)
            except DatabaseUnavailable:
                continue
            except Exception:
                # The edge of the engine: without this loop every answer would lose its lease.
                log.exception("the run engine could not renew its leases")
                continue
            for run_id in asked:
                job = self._jobs.get(run_id)
                if job is None:
                    continue
                if run_id not in held and job.writing is not None and not job.writing.done():
                    self._lose(run_id)
                elif held.get(run_id):
                    job.interrupt(Interruption.STOPPED)

    async def _work(self, job: _Job) -> None:
        observability.RUNS_ACTIVE.inc()
        with observability.correlated(job.run.correlation_id):
            log.info("run claimed", run_id=str(job.run.id), model=job.run.model, attempt=job.run.attempt)
            try:
                await self._write(job)
            except DatabaseUnavailable:
                log.warning("a run waits for the database", run_id=str(job.run.id))
            except Exception:
                # The edge of a run: an unexpected failure must not stop the engine.
                log.exception("a run failed unexpectedly", run_id=str(job.run.id))
            finally:
                del self._jobs[job.run.id]
                observability.RUNS_ACTIVE.dec()
                self._wake.set()

    async def _write(self, job: _Job) -> None:
        async with self._answer_streams.writing(job.run, self._chunk_flusher.is_current) as answer:
            writer = job.writer = AnswerGenerator(
                self._database,
                self._model,
                self._chunk_flusher,
                self.id,
                job.run,
                answer,
                self._longest_seconds,
                self._prompts,
                self._metering,
                self._find_fallbacks,
            )
            job.writing = asyncio.create_task(writer.write())
            if job.interruption is not None:
                job.writing.cancel()
            with suppress(asyncio.CancelledError):
                await job.writing
            match job.interruption:
                case Interruption.LOST:
                    log.warning("another engine has claimed a run", run_id=str(job.run.id))
                case Interruption.RELEASED if not writer.is_over:
                    # `_hand_over` stores the rest and releases it.
                    self._chunk_flusher.register(job.run.id, writer)
                case _:
                    await self._answer_streams.flush(job.run.id)
                    await writer.end(stopped=job.interruption is Interruption.STOPPED, give_up=lambda: self._closing)
