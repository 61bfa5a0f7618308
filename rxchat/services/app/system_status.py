"""Usage and the state of the system, for administrators."""

from __future__ import annotations

import csv
import io
import platform
import time
from collections.abc import AsyncGenerator, Iterable
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime, timedelta

from rxchat import __version__
from rxchat.db.app import system as rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import require
from rxchat.domain.chat import ModelInfo
from rxchat.domain.permissions import Permission
from rxchat.domain.usage import (
    ModelUsage,
    QueueLength,
    SystemTotals,
    Usage,
    UsagePart,
    UsageRecord,
    csv_cell,
    valid_breakdown,
    valid_period,
)
from rxchat.services.app.health import ComponentStatus, Health
from rxchat.services.models.catalog import ModelCatalog

MOST_USERS = 100
"""How many users are listed."""
MODEL_DAYS = 30


@dataclass(frozen=True, slots=True)
class SystemState:
    """The state of the system now."""

    components: list[ComponentStatus]
    checked_at: datetime
    check_milliseconds: int
    """How long checking all components took."""
    versions: dict[str, str]
    totals: SystemTotals
    queues: list[QueueLength]


@dataclass(frozen=True, slots=True)
class ModelState:
    """A model that a host offers, and its usage; or one that was used and is offered no more."""

    name: str
    info: ModelInfo | None
    usage: ModelUsage | None
    is_default: bool


@dataclass(frozen=True, slots=True)
class ModelOverview:
    """All models, and the problem of their hosts."""

    models: list[ModelState]
    problem: str


class SystemStatus:
    """Reads usage and the state of the system. What users write is not part of it."""

    def __init__(self, database: Database, health: Health, models: ModelCatalog) -> None:
        self._database = database
        self._health = health
        self._models = models

    async def usage(self, current_user: CurrentUser, days: int) -> Usage:
        """Return the usage of the last 7, 30 or 90 days, of at most 100 users.

        Answers of conversations that were deleted permanently are not counted any more.

        Raises:
            InvalidInput: when there is no such period.
            NotAllowed: without the permission.
        """
        require(current_user, Permission.SYSTEM_READ)
        async with self._database.begin(current_user.user_id, snapshot=True) as session:
            return await rows.usage(session, valid_period(days), MOST_USERS)

    async def series(self, current_user: CurrentUser, days: int, by: str, measure: str) -> list[UsagePart]:
        """Return what was asked of models on each day of a period, by model, user or group: all requests, of programs too.

        The 100 with the most of the measure are named.

        Raises:
            InvalidInput: when there is no such period, division or measure.
            NotAllowed: without the permission.
        """
        require(current_user, Permission.SYSTEM_READ)
        period, (divided, measured) = valid_period(days), valid_breakdown(by, measure)
        async with self._database.begin(current_user.user_id) as session:
            return await rows.series(session, period, divided, measured, MOST_USERS)

    async def usage_csv(self, current_user: CurrentUser, days: int) -> AsyncGenerator[str]:
        """Yield the lines of a CSV file: what each user has asked of each model on each day, day by day.

        Raises:
            InvalidInput: when there is no such period.
            NotAllowed: without the permission.
        """
        require(current_user, Permission.SYSTEM_READ)
        period, today = valid_period(days), datetime.now(UTC).date()
        yield _line(("day", *(item.name for item in fields(UsageRecord))))
        for before in reversed(range(period)):
            day = today - timedelta(days=before)
            async with self._database.begin(current_user.user_id) as session:
                found = await rows.usage_of_day(session, day)
            if found:
                yield "".join(_line((day, *astuple(item))) for item in found)

    async def state(self, current_user: CurrentUser) -> SystemState:
        """Check each component, and count what is stored and what waits.

        Raises:
            NotAllowed: without the permission.
        """
        require(current_user, Permission.SYSTEM_READ)
        started = time.monotonic()
        components = await self._health.parts()
        elapsed = round((time.monotonic() - started) * 1000)
        async with self._database.begin(current_user.user_id) as session:
            totals, queues = await rows.totals(session), await rows.queues(session)
        versions = {
            "RxChat": __version__,
            "Python": platform.python_version(),
            "PostgreSQL": totals.postgres,
            "pgvector": totals.pgvector,
        }
        return SystemState(components, datetime.now(UTC), elapsed, versions, totals, queues)

    async def models(self, current_user: CurrentUser) -> ModelOverview:
        """Return the offered models with their usage of the last 30 days, and those that were used and are not offered now.

        Raises:
            NotAllowed: without the permission.
        """
        require(current_user, Permission.SYSTEM_READ)
        offer = await self._models.offer()
        async with self._database.begin(current_user.user_id) as session:
            used = {item.model: item for item in await rows.model_usage(session, MODEL_DAYS)}
        offered = [*offer.known, *offer.forbidden]
        models = [
            ModelState(item.name, item, used.get(item.name), is_default=item.name == offer.default) for item in offered
        ]
        names = {item.name for item in offered}
        gone = [ModelState(name, None, usage, is_default=False) for name, usage in used.items() if name not in names]
        return ModelOverview([*models, *gone], offer.detail or offer.problem)


def _line(values: Iterable[object]) -> str:
    """Return a line of a CSV file (RFC 4180)."""
    text = io.StringIO()
    csv.writer(text).writerow(map(csv_cell, values))
    return text.getvalue()
