"""Answers in progress: one growing text for each run, and its followers.

A follower keeps a cursor and waits for a change. Nothing is queued for it, so a slow follower costs nothing and
misses nothing. In the process whose engine writes the answer, followers read the engine's AnswerStream. In other
processes they read a StreamReplica, which is fed by the broadcast and, where that has gaps or does not respond, by
Postgres.
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
"""How long a replica is kept up to date without a follower."""


class AnswerStream:
    """The text of a run so far; grows until the run has ended."""

    def __init__(self, owner_id: UUID, run_id: UUID) -> None:
        self.owner_id = owner_id
        self.run_id = run_id
        self.text = ""
        self.reasoning = ""
        self.ended = False
        self.rewrites = 0
        """How often text that was shown was replaced, because its engine failed before storing it."""
        self.stored: dict[ChunkKind, int] = {}
        """The stored length of each kind, as far as the engine that writes it knows."""
        self._changed = asyncio.Event()

    def whole(self, kind: ChunkKind) -> str:
        """Return the text of one kind."""
        return self.text if kind is ChunkKind.TEXT else self.reasoning

    def _write(self, kind: ChunkKind, whole: str) -> None:
        if kind is ChunkKind.TEXT:
            self.text = whole
        else:
            self.reasoning = whole
        self._wake()

    def add(self, kind: ChunkKind, piece: str) -> None:
        """Append text."""
        self._write(kind, self.whole(kind) + piece)

    def end(self) -> None:
        """Mark the run as ended; the message has the whole text."""
        self.ended = True
        self._wake()

    def apply(self, chunk: RunChunk) -> bool:
        """Apply a chunk that may overlap the text; False if text before it is missing.

        Where both differ, the chunk is right: it is from the engine that holds the run now.
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
        """Drop the text after `length`, because another engine continues from there."""
        here = self.whole(kind)
        if len(here) > length:
            self.rewrites += 1
            self._write(kind, here[:length])

    def wake(self) -> None:
        """Wake all waiting followers, for a change outside of the text."""
        self._wake()

    def _wake(self) -> None:
        waiting, self._changed = self._changed, asyncio.Event()
        waiting.set()

    async def changed(self, timeout_seconds: float) -> bool:
        """Wait for new text, the end, or `wake`; False after the timeout."""
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
    """The answers in progress in this and other processes, for their followers."""

    def __init__(self, database: Database, broadcast: Broadcast | None) -> None:
        self._database = database
        self._broadcast = broadcast
        self._own: dict[UUID, tuple[AnswerStream, StreamPublisher]] = {}
        self._mirrors: dict[tuple[UUID, UUID], tuple[StreamReplica, int]] = {}
        self._closing: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def writing(
        self, run: ClaimedRun, is_stored: Callable[[], bool] = lambda: True
    ) -> AsyncGenerator[AnswerStream]:
        """Write this run's answer while the context is open; it has ended afterwards.

        Text that is not stored yet is broadcast only while `is_stored` says that it will be stored soon.
        """
        owner_id, run_id = run.owner_id, run.id
        mirror, _ = self._mirrors.get((owner_id, run_id), (None, 0))
        answer = AnswerStream(owner_id, run_id)
        if mirror is not None and not (mirror.answer.text or mirror.answer.reasoning or mirror.answer.ended):
            # Early followers already have this stream.
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
        """Broadcast all text, before other processes learn from Postgres that the run has ended."""
        if run_id in self._own:
            await self._own[run_id][1].publish()

    @asynccontextmanager
    async def following(self, owner_id: UUID, run_id: UUID) -> AsyncGenerator[AnswerStream]:
        """Follow a run of this owner; a run that is not active yields an ended stream."""
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
                # A follower that returns soon finds it up to date.
                asyncio.get_running_loop().call_later(_LINGER_SECONDS, self._drop, key, mirror)

    def _drop(self, key: tuple[UUID, UUID], mirror: StreamReplica) -> None:
        if self._mirrors.get(key) == (mirror, 0):
            del self._mirrors[key]
            self._closing.add(closing := asyncio.create_task(mirror.stop()))
            closing.add_done_callback(self._closing.discard)

    async def aclose(self) -> None:
        """Stop all replicas."""
        mirrors = [mirror for mirror, _ in self._mirrors.values()]
        self._mirrors.clear()
        await asyncio.gather(*(mirror.stop() for mirror in mirrors), *self._closing)

    def owned(self, owner_id: UUID, run_id: UUID) -> AnswerStream | None:
        """Return the stream if this process writes the run, and it belongs to this owner."""
        own, _ = self._own.get(run_id, (None, None))
        return own if own is not None and own.owner_id == owner_id else None
