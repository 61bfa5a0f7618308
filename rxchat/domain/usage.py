"""How much an installation is used, and what it stores: numbers for administrators, never what users write."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from rxchat.domain.errors import InvalidInput

BREAKDOWNS = ("model", "user", "group")
"""What usage is divided by."""
MEASURES = ("tokens", "requests", "cost")
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
class UsagePart:
    """What was asked on one day of one model, by one user, or by the users of one group."""

    day: date
    key: str | None
    """The model's name, or the ID of the user or group, "" for users of no group; None for all that are not named."""
    label: str
    requests: int
    input_tokens: int
    output_tokens: int
    cost: Decimal

    def amount(self, measure: str) -> Decimal:
        """Return how much it is of a measure."""
        if measure == "cost":
            return self.cost
        return Decimal(self.requests if measure == "requests" else self.input_tokens + self.output_tokens)


@dataclass(frozen=True, slots=True)
class UsageRecord:
    """What one user has asked of one model on a day."""

    user_id: UUID
    user_name: str
    email: str
    groups: str
    model: str
    requests: int
    input_tokens: int
    output_tokens: int
    cost: Decimal


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


def valid_breakdown(by: str, measure: str) -> tuple[str, str]:
    """Return what usage is divided by, and what is measured.

    Raises:
        InvalidInput: when there is no such division or measure.
    """
    if by not in BREAKDOWNS:
        raise InvalidInput(f"Usage is divided by: {', '.join(BREAKDOWNS)}.", field="by")
    if measure not in MEASURES:
        raise InvalidInput(f"What is measured: {', '.join(MEASURES)}.", field="measure")
    return by, measure


def csv_cell(value: object) -> str:
    """Return a value for a cell of a spreadsheet, which takes a text that begins like a formula for one: it gets an apostrophe."""
    text = str(value)
    return f"'{text}" if text.lstrip().startswith(("=", "+", "-", "@")) or text.startswith(("\t", "\r", "\n")) else text
