"""Queries about the whole installation, for administrators; the procedures check their permission."""

from __future__ import annotations

from datetime import date

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.domain.usage import (
    DayUsage,
    ModelUsage,
    QueueLength,
    SystemTotals,
    Usage,
    UsagePart,
    UsageRecord,
    UserUsage,
)

_BY_DAY = text("SELECT * FROM usage_by_day(:days)")
_BY_MODEL = text("SELECT * FROM usage_by_model(:days)")
_BY_USER = text("SELECT * FROM usage_by_user(:days, :limit)")
_SERIES = text("SELECT * FROM usage_series(:days, :by, :measure, :most)")
_OF_DAY = text("SELECT * FROM usage_of_day(:day)")
_TOTALS = text("SELECT * FROM system_totals()")
_JOBS = text("SELECT * FROM count_jobs()")


async def usage(session: AsyncSession, days: int, most_users: int) -> Usage:
    """Return the usage of the last days, by day, model and user."""
    return Usage(
        days=[DayUsage(**row) for row in (await session.execute(_BY_DAY, {"days": days})).mappings()],
        models=[ModelUsage(**row) for row in (await session.execute(_BY_MODEL, {"days": days})).mappings()],
        users=[
            UserUsage(**row)
            for row in (await session.execute(_BY_USER, {"days": days, "limit": most_users})).mappings()
        ],
    )


async def model_usage(session: AsyncSession, days: int) -> list[ModelUsage]:
    """Return the usage of each model, most answers first."""
    return [ModelUsage(**row) for row in (await session.execute(_BY_MODEL, {"days": days})).mappings()]


async def series(session: AsyncSession, days: int, by: str, measure: str, most: int) -> list[UsagePart]:
    """Return what was asked on each day, by model, user or group; beyond the `most` largest, all others together."""
    found = await session.execute(_SERIES, {"days": days, "by": by, "measure": measure, "most": most})
    return [UsagePart(**row) for row in found.mappings()]


async def usage_of_day(session: AsyncSession, day: date) -> list[UsageRecord]:
    """Return what each user has asked of each model on a day."""
    return [UsageRecord(**row) for row in (await session.execute(_OF_DAY, {"day": day})).mappings()]


async def totals(session: AsyncSession) -> SystemTotals:
    """Return what is stored and what waits."""
    return SystemTotals(**(await session.execute(_TOTALS)).mappings().one())


async def queues(session: AsyncSession) -> list[QueueLength]:
    """Return the queues of background jobs that have some."""
    return [QueueLength(**row) for row in (await session.execute(_JOBS)).mappings()]
