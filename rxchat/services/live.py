"""Answers while they are written: one growing text for each run, and whoever follows it.

A follower keeps a cursor and waits for a change; nothing is queued for it, so a slow one costs nothing and
misses nothing. In the process whose engine writes the answer, followers see the engine's own LiveAnswer; in any
other process a mirror of it is fed from the broadcast and, where that has gaps or is away, from Postgres.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID

import structlog

from rxchat.db import runs as run_rows
from rxchat.db.database import Database
from rxchat.domain.errors import DatabaseAway
from rxchat.domain.ports import Broadcast
from rxchat.domain.runs import ChunkKind, RunChunk

log = structlog.get_logger(__name__)

_POLL_SECONDS = 0.5
_REMOTE_FLUSH_SECONDS = 0.04


class LiveAnswer:
    """What a run has written so far; grows until it is ended."""

    def __init__(self, owner_id: UUID, run_id: UUID) -> None:
        """Begin with nothing written."""
        self.owner_id = owner_id
        self.run_id = run_id
        self.text = ""
        self.reasoning = ""
        self.ended = False
        self._changed = asyncio.Event()

    def add(self, kind: ChunkKind, piece: str) -> None:
        """Write on."""
        if kind is ChunkKind.TEXT:
            self.text += piece
        else:
            self.reasoning += piece
        self._wake()

    def end(self) -> None:
        """Say that nothing more will come; the message holds the whole now."""
        self.ended = True
        self._wake()

    def heal(self, chunk: RunChunk) -> bool:
        """Take in a piece that may overlap what is here; False when there is a gap before it."""
        here = self.text if chunk.kind is ChunkKind.TEXT else self.reasoning
        if chunk.start > len(here):
            return False
        fresh = chunk.text[len(here) - chunk.start :]
        if fresh:
            self.add(chunk.kind, fresh)
        return True

    def _wake(self) -> None:
        waiting, self._changed = self._changed, asyncio.Event()
        waiting.set()

    async def changed(self, timeout_seconds: float) -> bool:
        """Wait until something is written or it has ended; False when nothing happened for so long."""
        if self.ended:
            return True
        waiting = self._changed
        try:
            async with asyncio.timeout(timeout_seconds):
                await waiting.wait()
        except TimeoutError:
            return False
        return True


class LiveAnswers:
    """The answers being written, here or in another process, for whoever follows them."""

    def __init__(self, database: Database, broadcast: Broadcast | None) -> None:
        """Know where to read what this process does not write itself."""
        self._database = database
        self._broadcast = broadcast
        self._own: dict[UUID, LiveAnswer] = {}
        self._mirrors: dict[tuple[UUID, UUID], tuple[LiveAnswer, asyncio.Task[None], int]] = {}
        self._begun = asyncio.Event()

    @asynccontextmanager
    async def writing(self, owner_id: UUID, run_id: UUID) -> AsyncGenerator[LiveAnswer]:
        """Be the one who writes this run's answer; it counts as ended when the context closes."""
        answer = LiveAnswer(owner_id, run_id)
        self._own[run_id] = answer
        # Whoever was early follows a mirror: it need not wait for its next look into Postgres.
        begun, self._begun = self._begun, asyncio.Event()
        begun.set()
        telling = asyncio.create_task(self._tell_others(answer))
        try:
            yield answer
        finally:
            answer.end()
            del self._own[run_id]
            await telling

    @asynccontextmanager
    async def following(self, owner_id: UUID, run_id: UUID) -> AsyncGenerator[LiveAnswer]:
        """Follow a run of this owner; a run that is not active (any more) is an ended answer."""
        own = self._owned(owner_id, run_id)
        if own is not None:
            yield own
            return
        answer = self._enter_mirror(owner_id, run_id)
        try:
            yield answer
        finally:
            await self._leave_mirror((owner_id, run_id))

    def _enter_mirror(self, owner_id: UUID, run_id: UUID) -> LiveAnswer:
        key = owner_id, run_id
        answer, feeding, followers = self._mirrors.get(key, (None, None, 0))
        if answer is None or feeding is None or answer.ended:
            answer = LiveAnswer(owner_id, run_id)
            feeding = asyncio.create_task(self._feed(owner_id, answer))
        self._mirrors[key] = (answer, feeding, followers + 1)
        return answer

    async def _leave_mirror(self, key: tuple[UUID, UUID]) -> None:
        answer, feeding, followers = self._mirrors[key]
        if followers > 1:
            self._mirrors[key] = (answer, feeding, followers - 1)
            return
        del self._mirrors[key]
        feeding.cancel()
        with suppress(asyncio.CancelledError):
            await feeding

    async def _tell_others(self, answer: LiveAnswer) -> None:
        if self._broadcast is None:
            return
        told = {ChunkKind.TEXT: 0, ChunkKind.REASONING: 0}
        while True:
            ended = answer.ended
            for kind, whole in ((ChunkKind.REASONING, answer.reasoning), (ChunkKind.TEXT, answer.text)):
                if len(whole) > told[kind]:
                    message = {"k": kind.value, "s": told[kind], "t": whole[told[kind] :]}
                    await self._broadcast.publish(_channel(answer.run_id), json.dumps(message).encode())
                    told[kind] = len(whole)
            if ended:
                # The end itself is read from Postgres, where the whole message is by then.
                return
            await answer.changed(60)
            await asyncio.sleep(_REMOTE_FLUSH_SECONDS)

    async def _feed(self, owner_id: UUID, answer: LiveAnswer) -> None:
        listening: asyncio.Task[None] | None = None
        after_seq = 0
        try:
            while not answer.ended:
                own = self._owned(owner_id, answer.run_id)
                if own is not None:
                    # This process's engine has taken the run up since.
                    await self._copy(own, answer)
                    return
                begun = self._begun
                seen = await self._read(owner_id, answer, after_seq)
                if seen is not None and not answer.ended:
                    after_seq = seen
                    # Only what Postgres has shown to be this owner's run is listened to.
                    listening = listening or asyncio.create_task(self._hear(answer))
                if not answer.ended and self._owned(owner_id, answer.run_id) is None:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(_POLL_SECONDS):
                            await begun.wait()
        finally:
            if listening is not None:
                listening.cancel()
                with suppress(asyncio.CancelledError):
                    await listening

    def _owned(self, owner_id: UUID, run_id: UUID) -> LiveAnswer | None:
        """Return the answer that this process writes, if it is this owner's."""
        own = self._own.get(run_id)
        return own if own is not None and own.owner_id == owner_id else None

    async def _copy(self, own: LiveAnswer, answer: LiveAnswer) -> None:
        while True:
            ended = own.ended
            answer.heal(RunChunk(ChunkKind.REASONING, 0, own.reasoning))
            answer.heal(RunChunk(ChunkKind.TEXT, 0, own.text))
            if ended:
                answer.end()
                return
            await own.changed(60)

    async def _read(self, owner_id: UUID, answer: LiveAnswer, after_seq: int) -> int | None:
        """Take in what is stored after a seq and return the last one; None while the database is away."""
        try:
            async with self._database.begin(owner_id) as session:
                is_active = await run_rows.is_active(session, owner_id, answer.run_id)
                stored = await run_rows.chunks_of(session, owner_id, answer.run_id, after_seq)
        except DatabaseAway:
            return None
        for seq, chunk in stored:
            answer.heal(chunk)
            after_seq = seq
        if not is_active:
            answer.end()
        return after_seq

    async def _hear(self, answer: LiveAnswer) -> None:
        if self._broadcast is None:
            return
        async with self._broadcast.subscribe(_channel(answer.run_id)) as messages:
            async for raw in messages:
                message: dict[str, Any] = json.loads(raw)
                # A gap heals by itself: Postgres has the missing piece within a poll or two.
                answer.heal(RunChunk(ChunkKind(message["k"]), message["s"], message["t"]))


def _channel(run_id: UUID) -> str:
    return f"run:{run_id}"
