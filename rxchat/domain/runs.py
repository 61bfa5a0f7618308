"""A run: one durable generation of an answer, independent of any tab, handler or socket."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

LEASE_SECONDS = 6.0
RENEW_SECONDS = 2.0
CHUNK_SECONDS = 0.25
ATTEMPTS = 3
"""How often an answer is taken up again after its engine died, before it counts as interrupted."""


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
    correlation_id: str


@dataclass(frozen=True, slots=True)
class ActiveRun:
    """A run that is queued or running, as those who follow it see it."""

    owner_id: UUID
    id: UUID
    conversation_id: UUID
    message_id: UUID
    model: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RunChunk:
    """A stored piece of a run; `start` counts code points from the beginning of its kind."""

    kind: ChunkKind
    start: int
    text: str
