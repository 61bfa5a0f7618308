"""Queries about the whole installation, for administrators; the procedures check their permission."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.domain.usage import DayUsage, ModelUsage, QueueLength, SystemTotals, Usage, UserUsage

_BY_DAY = text("SELECT * FROM usage_by_day(:days)")
_BY_MODEL = text("SELECT * FROM usage_by_model(:days)")
_BY_USER = text("SELECT * FROM usage_by_user(:days, :limit)")
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


async def totals(session: AsyncSession) -> SystemTotals:
    """Return what is stored and what waits."""
    return SystemTotals(**(await session.execute(_TOTALS)).mappings().one())


async def queues(session: AsyncSession) -> list[QueueLength]:
    """Return the queues of background jobs that have some."""
    return [QueueLength(**row) for row in (await session.execute(_JOBS)).mappings()]
