"""A run: one durable generation of an answer, independent of any tab, handler or socket."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

LEASE_SECONDS = 6.0
RENEW_SECONDS = 2.0
CHUNK_SECONDS = 0.12
"""How much of an answer may be in memory alone; storing it takes a moment more."""
ATTEMPTS = 3
"""How often an answer is taken up without getting on at all, before it counts as interrupted."""


class RunState(StrEnum):
    """queued -> running -> done | failed | stopped | interrupted."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"


class ChunkKind(StrEnum):
    """What a piece of a run is part of."""

    TEXT = "text"
    REASONING = "reasoning"


@dataclass(frozen=True, slots=True)
class ClaimedRun:
    """A run that an engine holds by a lease."""

    owner_id: UUID
    id: UUID
    conversation_id: UUID
    message_id: UUID
    model: str
    attempt: int
    fence: int
    """Grows with each claim: what is written under an older one is refused."""
    correlation_id: str
    is_unwanted: bool = False
    """Whether somebody has asked for it to stop, while nobody could hear."""


@dataclass(frozen=True, slots=True)
class ActiveRun:
    """A run that is queued or running, as those who follow it see it."""

    owner_id: UUID
    id: UUID
    conversation_id: UUID
    message_id: UUID
    model: str
    created_at: datetime
    is_waiting: bool = False
    """Whether no engine has it yet."""


@dataclass(frozen=True, slots=True)
class RunLimits:
    """How many answers are written at the same time; what is asked beyond waits for its turn."""

    at_once: int = 256
    """In the whole installation."""
    per_person: int = 4


@dataclass(frozen=True, slots=True)
class PendingChunk:
    """A piece that is to be stored, and by which right."""

    run_id: UUID
    fence: int
    seq: int
    chunk: RunChunk


@dataclass(frozen=True, slots=True)
class RunChunk:
    """A stored piece of a run; `start` counts code points from the beginning of its kind."""

    kind: ChunkKind
    start: int
    text: str


@dataclass(frozen=True, slots=True)
class PartialAnswer:
    """As much of an answer as is stored."""

    text: str = ""
    reasoning: str = ""
    seq: int = 0
    """The seq of the last piece; 0 when there is none."""

    def after(self, seq: int, chunk: RunChunk) -> PartialAnswer:
        """Return it with the next piece, which may overlap what is there."""
        if chunk.kind is ChunkKind.TEXT:
            return PartialAnswer(self.text[: chunk.start] + chunk.text, self.reasoning, seq)
        return PartialAnswer(self.text, self.reasoning[: chunk.start] + chunk.text, seq)
