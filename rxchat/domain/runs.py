"""Runs: each is one durable generation of an answer, independent of tabs, handlers and sockets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

LEASE_SECONDS = 6.0
RENEW_SECONDS = 2.0
CHUNK_SECONDS = 0.12
"""How long text of an answer may be in memory only; storing it takes a moment more."""
ATTEMPTS = 3
"""How often a run is claimed without progress before it counts as interrupted."""


class RunState(StrEnum):
    """queued -> running -> done | failed | stopped | interrupted."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"


class ChunkKind(StrEnum):
    """Which text of a run a chunk belongs to."""

    TEXT = "text"
    REASONING = "reasoning"


@dataclass(frozen=True, slots=True)
class ClaimedRun:
    """A run that an engine holds with a lease."""

    owner_id: UUID
    id: UUID
    conversation_id: UUID
    message_id: UUID
    model: str
    attempt: int
    fence: int
    """Increases with each claim; writes with an older fence are refused."""
    correlation_id: str
    is_unwanted: bool = False
    """Whether a stop was requested while no engine held the run."""


@dataclass(frozen=True, slots=True)
class ActiveRun:
    """A run that is queued or running, as its followers see it."""

    owner_id: UUID
    id: UUID
    conversation_id: UUID
    message_id: UUID
    model: str
    created_at: datetime
    is_waiting: bool = False
    """Whether no engine has claimed it yet."""


@dataclass(frozen=True, slots=True)
class RunLimits:
    """How many answers are written at the same time; further ones wait in the queue."""

    at_once: int = 256
    """In the whole installation."""
    per_person: int = 4


@dataclass(frozen=True, slots=True)
class PendingChunk:
    """A chunk to store, with the fence that allows it."""

    run_id: UUID
    fence: int
    seq: int
    chunk: RunChunk


@dataclass(frozen=True, slots=True)
class RunChunk:
    """A stored piece of an answer; `start` counts code points from the beginning of its kind."""

    kind: ChunkKind
    start: int
    text: str


@dataclass(frozen=True, slots=True)
class PartialAnswer:
    """The stored text of an answer."""

    text: str = ""
    reasoning: str = ""
    seq: int = 0
    """The seq of the last chunk; 0 if there is none."""

    def after(self, seq: int, chunk: RunChunk) -> PartialAnswer:
        """Return the text after the next chunk, which may overlap it."""
        if chunk.kind is ChunkKind.TEXT:
            return PartialAnswer(self.text[: chunk.start] + chunk.text, self.reasoning, seq)
        return PartialAnswer(self.text, self.reasoning[: chunk.start] + chunk.text, seq)
