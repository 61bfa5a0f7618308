"""Answers in progress: one growing text for each run, and its followers.

A follower keeps a cursor and waits for a change. Nothing is queued for it, so a slow follower costs nothing and
misses nothing. In the process whose engine writes the answer, followers read the engine's AnswerStream. In other
processes they read a StreamReplica, which is fed by the broadcast and, where that has gaps or does not respond, by
Postgres.
"""

from __future__ import annotations

import asyncio
from uuid import UUID

from rxchat.domain.runs import ChunkKind, RunChunk

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
        self.rewritten_from = 0
        """Where the text begins that has become reasoning last."""
        self.is_move_unstored = False
        """Whether text has become reasoning, and that is not stored yet."""
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

    def move_to_reasoning(self, start: int) -> None:
        """Move the text from `start` on to the reasoning: what follows is the answer."""
        self.reasoning, self.text = self.reasoning + self.text[start:], self.text[:start]
        self.rewritten_from = min(self.rewritten_from, start) if self.is_move_unstored else start
        self.is_move_unstored = True
        self.rewrites += 1
        self._wake()

    def end(self) -> None:
        """Mark the run as ended; the message has the whole text."""
        self.ended = True
        self._wake()

    def apply(self, chunk: RunChunk) -> bool:
        """Apply a chunk that may overlap the text; False if text before it is missing.

        Where both differ, the chunk is right: it is from the engine that holds the run now. An empty one ends the text.
        """
        here = self.whole(chunk.kind)
        if chunk.start > len(here):
            return False
        if not chunk.text:
            self.truncate(chunk.kind, chunk.start)
            return True
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
