"""An answer in a process that does not write it: what its engine broadcasts, and what Postgres has of it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog

from rxchat.db.chat import runs as run_rows
from rxchat.db.platform.database import Database
from rxchat.domain.errors import DatabaseUnavailable
from rxchat.domain.ports import Broadcast
from rxchat.domain.runs import ChunkKind, RunChunk

log = structlog.get_logger(__name__)

if TYPE_CHECKING:
    from rxchat.services.chat.answer_stream import AnswerStream, AnswerStreams

_POLL_SECONDS = 0.4
"""How often Postgres is read while nothing is heard; the engine stores about as often."""
_HEARD_SECONDS = 2.0
"""How often while the broadcast tells everything."""
_FLUSH_SECONDS = 0.04
_UNHEARD_SECONDS = 0.5
"""How long it is not tried again when nobody listened."""


def _channel(run_id: UUID) -> str:
    return f"run:{run_id}"


class StreamPublisher:
    """Tells other processes what an engine writes, as long as anybody there wants to know."""

    def __init__(
        self, broadcast: Broadcast | None, answer: AnswerStream, fence: int, is_stored: Callable[[], bool]
    ) -> None:
        """Tell nothing yet."""
        self._is_stored = is_stored
        self._broadcast = broadcast
        self._answer = answer
        self._fence = fence
        self._told = dict.fromkeys(ChunkKind, 0)
        self._telling = asyncio.Lock()

    async def publish(self) -> bool:
        """Tell what is new; False when nobody listened."""
        if self._broadcast is None:
            return False
        heard = True
        async with self._telling:
            is_stored = self._is_stored()
            for kind in (ChunkKind.REASONING, ChunkKind.TEXT):
                whole, told = self._answer.whole(kind), self._told[kind]
                if not is_stored:
                    # Nobody elsewhere is to see what a crash would take back.
                    whole = whole[: self._answer.stored.get(kind, 0)]
                if len(whole) > told:
                    message = {"k": kind.value, "s": told, "t": whole[told:], "f": self._fence}
                    heard = (
                        await self._broadcast.publish(_channel(self._answer.run_id), json.dumps(message).encode()) > 0
                    )
                    self._told[kind] = len(whole)
        return heard

    async def publish_forever(self) -> None:
        """Tell all of it until the answer ends; the end itself is read from Postgres, where the whole message is."""
        if self._broadcast is None:
            return
        while not self._answer.ended:
            is_heard = await self.publish()
            if all(len(self._answer.whole(kind)) == told for kind, told in self._told.items()):
                await self._answer.changed(60)
            await asyncio.sleep(_FLUSH_SECONDS if is_heard else _UNHEARD_SECONDS)
        await self.publish()


class StreamReplica:
    """Keeps a AnswerStream like the one that another process writes."""

    def __init__(
        self, database: Database, broadcast: Broadcast | None, answer_streams: AnswerStreams, answer: AnswerStream
    ) -> None:
        """Feed this answer, from `start` to `stop`."""
        self.answer = answer
        self.look = asyncio.Event()
        """Set when it is time to look again: an engine of this process has taken the run up, or something is missing."""
        self._database = database
        self._broadcast = broadcast
        self._answer_streams = answer_streams
        self._seq = 0
        self._fences = dict.fromkeys(ChunkKind, 0)
        self._heard_at = 0.0
        self._has_gap = False
        self._feeding: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, unless it has begun."""
        if self._feeding is None:
            self._feeding = asyncio.create_task(self._feed(), name=f"mirror {self.answer.run_id}")

    async def stop(self) -> None:
        """Feed it no more."""
        if self._feeding is not None:
            self._feeding.cancel()
            with suppress(asyncio.CancelledError):
                await self._feeding

    async def _feed(self) -> None:
        hearing: asyncio.Task[None] | None = None
        answer = self.answer
        try:
            while not answer.ended:
                own = self._answer_streams.owned(answer.owner_id, answer.run_id)
                if own is not None:
                    # This process's engine has taken the run up since.
                    if own is not answer:
                        await self._copy(own)
                    return
                self.look.clear()
                if self._has_gap:
                    # What is missing is on its way into Postgres.
                    self._has_gap = False
                    await asyncio.sleep(_POLL_SECONDS / 4)
                if await self._read() and hearing is None and not answer.ended:
                    # Only what Postgres has shown to be this owner's run is listened to.
                    hearing = asyncio.create_task(self._on_message())
                if not answer.ended:
                    await self._rest()
        finally:
            if hearing is not None:
                hearing.cancel()
                with suppress(asyncio.CancelledError):
                    await hearing

    async def _rest(self) -> None:
        """Wait for the next look into Postgres: a while when all is heard, less when not, not at all at a gap."""
        is_heard = time.monotonic() - self._heard_at < _HEARD_SECONDS
        with suppress(TimeoutError):
            async with asyncio.timeout(_HEARD_SECONDS if is_heard else _POLL_SECONDS):
                await self.look.wait()

    def _on_gap(self) -> None:
        self._has_gap = True
        self.look.set()

    async def _copy(self, own: AnswerStream) -> None:
        """Be like the answer that this process writes; what was shown and never stored is forgotten."""
        copied = dict.fromkeys(ChunkKind, 0)
        while True:
            ended = own.ended
            for kind in ChunkKind:
                whole = own.whole(kind)
                if copied[kind] == 0 and whole:
                    self.answer.truncate(kind, len(whole))
                self.answer.apply(RunChunk(kind, copied[kind], whole[copied[kind] :]))
                copied[kind] = len(whole)
            if ended:
                self.answer.end()
                return
            await own.changed(60)

    async def _read(self) -> bool:
        """Take in what is stored since the last look; False while the database is away."""
        answer = self.answer
        try:
            async with self._database.begin(answer.owner_id) as session:
                is_active = await run_rows.is_active(session, answer.owner_id, answer.run_id)
                if self._seq == 0 and not answer.text and is_active:
                    # An answer that goes on begins with what its message said before.
                    kept = await run_rows.saved_prefix(session, answer.owner_id, answer.run_id)
                    answer.apply(RunChunk(ChunkKind.TEXT, 0, kept.text))
                    answer.apply(RunChunk(ChunkKind.REASONING, 0, kept.reasoning))
                stored = await run_rows.chunks_after(session, answer.owner_id, answer.run_id, self._seq)
        except DatabaseUnavailable:
            return False
        except Exception:
            # The edge of a mirror: without it a tab would wait for ever for what Postgres has.
            log.exception("an answer could not be read", run_id=str(answer.run_id))
            return False
        for seq, chunk in stored:
            self._seq = seq
            if not answer.apply(chunk):
                # A piece grew after it was read (its engine did not hear that it was stored): all of them again.
                self._seq = 0
                self._on_gap()
                break
        if not is_active:
            answer.end()
        return True

    async def _on_message(self) -> None:
        if self._broadcast is None:
            return
        async with self._broadcast.subscribe(_channel(self.answer.run_id)) as messages:
            async for raw in messages:
                try:
                    self._take(json.loads(raw))
                except (KeyError, ValueError, TypeError):
                    # A process of another version: Postgres has the same in words that all understand.
                    self._on_gap()

    def _take(self, message: dict[str, Any]) -> None:
        """Take in what an engine tells.

        Raises:
            KeyError: when it is told in words that this version does not know; so do ValueError and TypeError say.
        """
        kind, start = ChunkKind(message["k"]), int(message["s"])
        fence, known = int(message["f"]), self._fences[kind]
        if fence < max(self._fences.values()):
            # Somebody writes on who has lost the run and does not know it yet.
            return
        self._fences[kind] = fence
        if 0 < known < fence:
            # What the engine before said beyond this was never stored.
            self.answer.truncate(kind, start + len(message["t"]))
        self._heard_at = time.monotonic()
        if not self.answer.apply(RunChunk(kind, start, message["t"])):
            self._on_gap()
