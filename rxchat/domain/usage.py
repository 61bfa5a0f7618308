"""How much an installation is used, and what it stores: numbers for administrators, never what users write."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from rxchat.domain.errors import InvalidInput

PERIODS = (7, 30, 90)
"""The lengths of periods, in days with today."""


@dataclass(frozen=True, slots=True)
class DayUsage:
    """One day, in UTC."""

    day: date
    answers: int
    tokens: int
    users: int


@dataclass(frozen=True, slots=True)
class ModelUsage:
    """One model in a period."""

    model: str
    answers: int
    failed: int
    """How many of them failed."""
    tokens: int
    users: int
    tokens_per_second: float
    """The median; 0 if it is unknown."""


@dataclass(frozen=True, slots=True)
class UserUsage:
    """One user in a period."""

    user_id: UUID
    user_name: str
    answers: int
    tokens: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Usage:
    """A period."""

    days: list[DayUsage]
    """Each day of it, the oldest first."""
    models: list[ModelUsage]
    """Most answers first."""
    users: list[UserUsage]
    """Most answers first."""


@dataclass(frozen=True, slots=True)
class SystemTotals:
    """What is stored, what waits, and the versions of the database."""

    users: int
    active_users: int
    """Users of the last seven days."""
    conversations: int
    messages: int
    documents: int
    files: int
    file_bytes: int
    database_bytes: int
    answers_waiting: int
    answers_running: int
    oldest_waiting: datetime | None
    """Since when the first answer waits."""
    postgres: str
    pgvector: str


@dataclass(frozen=True, slots=True)
class QueueLength:
    """A queue of background jobs."""

    queue: str
    waiting: int
    running: int
    failed: int
    oldest_waiting: datetime | None


def valid_period(days: int) -> int:
    """Return a length of a period in days.

    Raises:
        InvalidInput: when there is no such period.
    """
    if days not in PERIODS:
        raise InvalidInput(f"Valid periods: {', '.join(map(str, PERIODS))} days.")
    return days
