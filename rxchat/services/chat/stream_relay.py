"""Answers across processes: an engine broadcasts its text, other processes keep a replica."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

import structlog

from rxchat.background import BackgroundTask
from rxchat.db.chat import runs as run_rows
from rxchat.db.platform.database import Database
from rxchat.domain.errors import DatabaseUnavailable
from rxchat.domain.ports import Broadcast
from rxchat.domain.runs import ChunkKind, RunChunk
from rxchat.services.chat.answer_stream import AnswerStream

log = structlog.get_logger(__name__)


_POLL_SECONDS = 0.4
"""How often Postgres is read without a broadcast; the engine stores about as often."""
_HEARD_SECONDS = 2.0
"""How often it is read while the broadcast delivers everything."""
_FLUSH_SECONDS = 0.04
_UNHEARD_SECONDS = 0.5
"""How long to wait before broadcasting again if no process subscribed."""


def _channel(run_id: UUID) -> str:
    return f"run:{run_id}"


class StreamPublisher:
    """Broadcasts an engine's text to other processes, if any of them subscribed."""

    def __init__(
        self, broadcast: Broadcast | None, answer: AnswerStream, fence: int, is_stored: Callable[[], bool]
    ) -> None:
        self._is_stored = is_stored
        self._broadcast = broadcast
        self._answer = answer
        self._fence = fence
        self._told = dict.fromkeys(ChunkKind, 0)
        self._rewrites = 0
        self._telling = asyncio.Lock()

    async def publish(self) -> bool:
        """Broadcast the new text; False if no process received it."""
        if self._broadcast is None:
            return False
        heard = True
        async with self._telling:
            is_stored = self._is_stored()
            if self._answer.rewrites != self._rewrites and not self._answer.is_move_unstored:
                start = min(self._told[ChunkKind.TEXT], self._answer.rewritten_from)
                self._rewrites, self._told[ChunkKind.TEXT] = self._answer.rewrites, start
                # Nothing after this position holds any more.
                await self._send(ChunkKind.TEXT, start, "")
            # Until it is stored that text became reasoning, others would read the old text again.
            kinds = (ChunkKind.REASONING,) if self._answer.is_move_unstored else (ChunkKind.REASONING, ChunkKind.TEXT)
            for kind in kinds:
                whole, told = self._answer.whole(kind), self._told[kind]
                if not is_stored:
                    # Other processes should not show text that a crash would lose.
                    whole = whole[: self._answer.stored.get(kind, 0)]
                if len(whole) > told:
                    heard = await self._send(kind, told, whole[told:])
                    self._told[kind] = len(whole)
        return heard

    async def _send(self, kind: ChunkKind, start: int, text: str) -> bool:
        message = json.dumps({"k": kind.value, "s": start, "t": text, "f": self._fence}).encode()
        return self._broadcast is not None and await self._broadcast.publish(_channel(self._answer.run_id), message) > 0

    async def publish_forever(self) -> None:
        """Broadcast until the answer ends; other processes read the end, with the whole message, from Postgres."""
        if self._broadcast is None:
            return
        while not self._answer.ended:
            is_heard = await self.publish()
            is_told = all(len(self._answer.whole(kind)) == told for kind, told in self._told.items())
            if is_told and self._answer.rewrites == self._rewrites:
                await self._answer.changed(60)
            await asyncio.sleep(_FLUSH_SECONDS if is_heard else _UNHEARD_SECONDS)
        await self.publish()


class StreamReplica:
    """Keeps an AnswerStream equal to the one of another process."""

    def __init__(
        self,
        database: Database,
        broadcast: Broadcast | None,
        owned: Callable[[UUID, UUID], AnswerStream | None],
        answer: AnswerStream,
    ) -> None:
        self.answer = answer
        self.look = asyncio.Event()
        """Set when this process's engine has claimed the run, or text is missing."""
        self._database = database
        self._broadcast = broadcast
        self._owned = owned
        self._seq = 0
        self._fences = dict.fromkeys(ChunkKind, 0)
        self._heard_at = 0.0
        self._has_gap = self._is_started = False
        self._feeding = BackgroundTask("stream replica")

    def start(self) -> None:
        """Start the background task, if it is not running."""
        if not self._is_started:
            self._is_started = True
            self._feeding.start(self._feed())

    async def stop(self) -> None:
        """Stop the background task."""
        await self._feeding.stop()

    async def _feed(self) -> None:
        hearing = BackgroundTask("broadcast subscriber")
        is_subscribed = False
        answer = self.answer
        try:
            while not answer.ended:
                own = self._owned(answer.owner_id, answer.run_id)
                if own is not None:
                    # This process's engine has claimed the run.
                    if own is not answer:
                        await self._copy(own)
                    return
                self.look.clear()
                if self._has_gap:
                    # The engine is about to store the missing text.
                    self._has_gap = False
                    await asyncio.sleep(_POLL_SECONDS / 4)
                if await self._read() and not is_subscribed and not answer.ended:
                    # Subscribe only after Postgres has confirmed the owner of the run.
                    hearing.start(self._on_message())
                    is_subscribed = True
                if not answer.ended:
                    await self._rest()
        finally:
            await hearing.stop()

    async def _rest(self) -> None:
        """Wait before reading Postgres again: longer while the broadcast delivers, not at all after a gap."""
        is_heard = time.monotonic() - self._heard_at < _HEARD_SECONDS
        with suppress(TimeoutError):
            async with asyncio.timeout(_HEARD_SECONDS if is_heard else _POLL_SECONDS):
                await self.look.wait()

    def _on_gap(self) -> None:
        self._has_gap = True
        self.look.set()

    async def _copy(self, own: AnswerStream) -> None:
        """Copy the stream of this process's engine; text that was never stored is dropped."""
        copied, rewrites = dict.fromkeys(ChunkKind, 0), own.rewrites
        while True:
            ended = own.ended
            if own.rewrites != rewrites:
                rewrites, copied[ChunkKind.TEXT] = own.rewrites, min(copied[ChunkKind.TEXT], own.rewritten_from)
                self.answer.truncate(ChunkKind.TEXT, copied[ChunkKind.TEXT])
            for kind in ChunkKind:
                whole = own.whole(kind)
                if copied[kind] == 0 and whole:
                    self.answer.truncate(kind, len(whole))
                if whole[copied[kind] :]:
                    self.answer.apply(RunChunk(kind, copied[kind], whole[copied[kind] :]))
                copied[kind] = len(whole)
            if ended:
                self.answer.end()
                return
            await own.changed(60)

    async def _read(self) -> bool:
        """Apply the chunks stored since the last read; False while the database does not respond."""
        answer = self.answer
        try:
            async with self._database.begin(answer.owner_id) as session:
                is_active = await run_rows.is_active(session, answer.owner_id, answer.run_id)
                if self._seq == 0 and not answer.text and is_active:
                    # A continued answer begins with its message's stored text.
                    kept = await run_rows.saved_prefix(session, answer.owner_id, answer.run_id)
                    for kind, text in ((ChunkKind.TEXT, kept.text), (ChunkKind.REASONING, kept.reasoning)):
                        if text:
                            answer.apply(RunChunk(kind, 0, text))
                stored = await run_rows.chunks_after(session, answer.owner_id, answer.run_id, self._seq)
        except DatabaseUnavailable:
            return False
        except Exception:
            # The edge of a replica: without it, a tab would wait indefinitely for text that Postgres has.
            log.exception("an answer could not be read", run_id=str(answer.run_id))
            return False
        for seq, chunk in stored:
            self._seq = seq
            if not answer.apply(chunk):
                # A chunk was stored again with more text (its engine did not receive the confirmation): read all of
                # them again.
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
                    # A process of another version sent it: read the text from Postgres.
                    self._on_gap()

    def _take(self, message: dict[str, Any]) -> None:
        """Apply a broadcast message.

        Raises:
            KeyError, ValueError, TypeError: when the message has another version's format.
        """
        kind, start = ChunkKind(message["k"]), int(message["s"])
        fence, known = int(message["f"]), self._fences[kind]
        if fence < max(self._fences.values()):
            # An engine that has lost the run, and does not know it yet.
            return
        self._fences[kind] = fence
        if 0 < known < fence:
            # The previous engine's text after this position was never stored.
            self.answer.truncate(kind, start + len(message["t"]))
        self._heard_at = time.monotonic()
        if not self.answer.apply(RunChunk(kind, start, message["t"])):
            self._on_gap()
