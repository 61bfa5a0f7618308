"""The answers that are being written, in this process or in another one, for everyone who follows them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from uuid import UUID

from rxchat.db.platform.database import Database
from rxchat.domain.ports import Broadcast
from rxchat.domain.runs import ClaimedRun
from rxchat.services.chat.answer_stream import AnswerStream
from rxchat.services.chat.stream_relay import StreamPublisher, StreamReplica

_LINGER_SECONDS = 3.0
"""How long a replica is kept up to date without a follower."""


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
            mirror = StreamReplica(self._database, self._broadcast, self.owned, answer)
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
