"""The run engine: claims runs by a lease, has their answers written, and keeps every word of them.

An answer belongs to its run, never to a tab, a handler or a socket. When this process dies, the lease runs out and
another engine (or this machine's next start) goes on from the saved prefix.
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
from rxchat.services.chat.answer_stream import AnswerStreams
from rxchat.services.chat.chunk_flusher import ChunkFlusher
from rxchat.services.platform.pg_listener import PgListener
from rxchat.services.retrieval.prompt_context import PromptContextBuilder

log = structlog.get_logger(__name__)

_CLAIM_SECONDS = 1.0
_AT_ONCE = 256
"""How many answers one engine writes; a process that has that much to do leaves the rest to others."""
_HAND_OVER_SECONDS = 1.5
"""How long a process that ends may take to store the rest and give everything back; then leases run out by themselves."""
_CLAIM_PATIENCE_SECONDS = 0.3
_AT_A_TIME = 16
"""How many it takes in one go, so that engines which are woken together share what there is."""


class Interruption(StrEnum):
    """Why an engine breaks off the writing of an answer."""

    STOPPED = "stopped"
    """A person wants no more of it: it ends here."""
    RELEASED = "released"
    """This process ends: another engine goes on."""
    LOST = "lost"
    """Another engine has it already: hands off."""


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
    """Writes answers for as long as it is started; one for each process that has work to do."""

    def __init__(
        self,
        database: Database,
        model: ChatModel,
        answer_streams: AnswerStreams,
        pg_listener: PgListener,
        *,
        limits: RunLimits | None = None,
        longest_seconds: float = 3600.0,
        prompt_context_builder: PromptContextBuilder | None = None,
    ) -> None:
        """Know everything it needs; nothing runs yet."""
        self.id = new_id()
        self._database = database
        self._model = model
        self._answer_streams = answer_streams
        pg_listener.subscribe("run", self._hear)
        pg_listener.subscribe("host", model.note_heard)
        self._limits = limits or RunLimits()
        self._longest_seconds = longest_seconds
        self._prompt_context_builder = prompt_context_builder
        self._chunk_flusher = ChunkFlusher(database, self.id, self._lose)
        self._jobs: dict[UUID, _Job] = {}
        self._wake = asyncio.Event()
        self._loops: list[asyncio.Task[None]] = []
        self._closing = False
        self._unheard: set[UUID] = set()
        """Stops that came for runs which this engine is perhaps just taking."""

    async def start(self) -> None:
        """Begin to claim and write."""
        self._chunk_flusher.start()
        self._loops = [
            asyncio.create_task(loop(), name=f"run engine {loop.__name__}")
            for loop in (self._claim_forever, self._renew_forever)
        ]

    async def stop(self) -> None:
        """Save what is being written and give it back, so that the next engine goes on from there."""
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
        """Store what was written last and give all of it back, at once for all answers."""
        claiming, renewing = self._loops
        renewing.cancel()
        if writing := [job.task for job in self._jobs.values() if job.task]:
            await asyncio.wait(writing)
        await self._chunk_flusher.save_all()
        # What is being claimed at this moment is given back, too; but nothing waits for long behind another engine's claim.
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
                log.warning("the run engine cannot claim, the database is away")
            except Exception:
                # The edge of the engine: without this loop no question would ever be answered again.
                log.exception("the run engine could not claim")
            # Woken by a notification; the poll finds runs whose engine died without a word.
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
            # Given back with all the rest.
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
                        # Answers of other engines may wait in this host's queue.
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
                # The edge of a run: one that fails in a way nobody foresaw must not take the engine with it.
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
                self._prompt_context_builder,
            )
            job.writing = asyncio.create_task(writer.write())
            if job.interruption is not None:
                job.writing.cancel()
            with suppress(asyncio.CancelledError):
                await job.writing
            match job.interruption:
                case Interruption.LOST:
                    log.warning("another engine has taken up a run", run_id=str(job.run.id))
                case Interruption.RELEASED if not writer.is_over:
                    # The rest is stored and given back together with that of all others.
                    self._chunk_flusher.register(job.run.id, writer)
                case _:
                    await self._answer_streams.flush(job.run.id)
                    await writer.end(stopped=job.interruption is Interruption.STOPPED, give_up=lambda: self._closing)
