"""Answers while they are written: one growing text for each run, and whoever follows it.

A follower keeps a cursor and waits for a change; nothing is queued for it, so a slow one costs nothing and
misses nothing. In the process whose engine writes the answer, followers see the engine's own AnswerStream; in any
other process a mirror of it is fed from the broadcast and, where that has gaps or is away, from Postgres.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from uuid import UUID

from rxchat.db.platform.database import Database
from rxchat.domain.ports import Broadcast
from rxchat.domain.runs import ChunkKind, ClaimedRun, RunChunk
from rxchat.services.chat.stream_relay import StreamPublisher, StreamReplica

_LINGER_SECONDS = 3.0
"""How long an answer of another process is kept up to date when nobody follows it."""


class AnswerStream:
    """What a run has written so far; grows until it is ended."""

    def __init__(self, owner_id: UUID, run_id: UUID) -> None:
        """Begin with nothing written."""
        self.owner_id = owner_id
        self.run_id = run_id
        self.text = ""
        self.reasoning = ""
        self.ended = False
        self.rewrites = 0
        """How often something that was shown already became something else: its engine died before it was stored."""
        self.stored: dict[ChunkKind, int] = {}
        """How much of each kind is stored, as far as whoever writes it knows."""
        self._changed = asyncio.Event()

    def whole(self, kind: ChunkKind) -> str:
        """Return what is written of one kind."""
        return self.text if kind is ChunkKind.TEXT else self.reasoning

    def _write(self, kind: ChunkKind, whole: str) -> None:
        if kind is ChunkKind.TEXT:
            self.text = whole
        else:
            self.reasoning = whole
        self._wake()

    def add(self, kind: ChunkKind, piece: str) -> None:
        """Write on."""
        self._write(kind, self.whole(kind) + piece)

    def end(self) -> None:
        """Say that nothing more will come; the message holds the whole now."""
        self.ended = True
        self._wake()

    def apply(self, chunk: RunChunk) -> bool:
        """Take in a piece that may overlap what is here; False when there is a gap before it.

        Where both differ, the piece is right: it comes from whoever writes the answer now.
        """
        here = self.whole(chunk.kind)
        if chunk.start > len(here):
            return False
        known = here[chunk.start : chunk.start + len(chunk.text)]
        if not chunk.text.startswith(known):
            self.rewrites += 1
            self._write(chunk.kind, here[: chunk.start] + chunk.text)
        elif len(chunk.text) > len(known):
            self.add(chunk.kind, chunk.text[len(known) :])
        return True

    def truncate(self, kind: ChunkKind, length: int) -> None:
        """Forget what is behind this length: another engine goes on from there."""
        here = self.whole(kind)
        if len(here) > length:
            self.rewrites += 1
            self._write(kind, here[:length])

    def wake(self) -> None:
        """Have everybody who waits for a change look up: something else has happened."""
        self._wake()

    def _wake(self) -> None:
        waiting, self._changed = self._changed, asyncio.Event()
        waiting.set()

    async def changed(self, timeout_seconds: float) -> bool:
        """Wait until something is written, it has ended, or somebody nudges; False when nothing happened for so long."""
        if self.ended:
            return True
        waiting = self._changed
        try:
            async with asyncio.timeout(timeout_seconds):
                await waiting.wait()
        except TimeoutError:
            return False
        return True


class AnswerStreams:
    """The answers being written, here or in another process, for whoever follows them."""

    def __init__(self, database: Database, broadcast: Broadcast | None) -> None:
        """Know where to read what this process does not write itself."""
        self._database = database
        self._broadcast = broadcast
        self._own: dict[UUID, tuple[AnswerStream, StreamPublisher]] = {}
        self._mirrors: dict[tuple[UUID, UUID], tuple[StreamReplica, int]] = {}
        self._closing: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def writing(
        self, run: ClaimedRun, is_stored: Callable[[], bool] = lambda: True
    ) -> AsyncGenerator[AnswerStream]:
        """Be the one who writes this run's answer; it counts as ended when the context closes.

        Other processes are told of what is not stored yet only while `is_stored` says that it soon will be.
        """
        owner_id, run_id = run.owner_id, run.id
        mirror, _ = self._mirrors.get((owner_id, run_id), (None, 0))
        answer = AnswerStream(owner_id, run_id)
        if mirror is not None and not (mirror.answer.text or mirror.answer.reasoning or mirror.answer.ended):
            # Whoever was early follows this one already.
            answer = mirror.answer
        teller = StreamPublisher(self._broadcast, answer, run.fence, is_stored)
        self._own[run_id] = answer, teller
        if mirror is not None:
            mirror.look.set()
        telling = asyncio.create_task(teller.publish_forever())
        try:
            yield answer
        finally:
            answer.end()
            del self._own[run_id]
            await telling

    async def flush(self, run_id: UUID) -> None:
        """Tell the other processes all that was written, before Postgres tells them that it has ended."""
        if run_id in self._own:
            await self._own[run_id][1].publish()

    @asynccontextmanager
    async def following(self, owner_id: UUID, run_id: UUID) -> AsyncGenerator[AnswerStream]:
        """Follow a run of this owner; a run that is not active (any more) is an ended answer."""
        own = self.owned(owner_id, run_id)
        if own is not None:
            yield own
            return
        key = owner_id, run_id
        mirror, followers = self._mirrors.get(key, (None, 0))
        if mirror is None or mirror.answer.ended:
            answer = AnswerStream(owner_id, run_id)
            mirror = StreamReplica(self._database, self._broadcast, self, answer)
        self._mirrors[key] = mirror, followers + 1
        mirror.start()
        try:
            yield mirror.answer
        finally:
            mirror, followers = self._mirrors.get(key, (mirror, 1))
            self._mirrors[key] = mirror, followers - 1
            if followers == 1:
                # Whoever has looked at something else in between comes back at once.
                asyncio.get_running_loop().call_later(_LINGER_SECONDS, self._drop, key, mirror)

    def _drop(self, key: tuple[UUID, UUID], mirror: StreamReplica) -> None:
        if self._mirrors.get(key) == (mirror, 0):
            del self._mirrors[key]
            self._closing.add(closing := asyncio.create_task(mirror.stop()))
            closing.add_done_callback(self._closing.discard)

    async def aclose(self) -> None:
        """Follow nothing any more."""
        mirrors = [mirror for mirror, _ in self._mirrors.values()]
        self._mirrors.clear()
        await asyncio.gather(*(mirror.stop() for mirror in mirrors), *self._closing)

    def owned(self, owner_id: UUID, run_id: UUID) -> AnswerStream | None:
        """Return the answer that this process writes, if it is this owner's."""
        own, _ = self._own.get(run_id, (None, None))
        return own if own is not None and own.owner_id == owner_id else None
