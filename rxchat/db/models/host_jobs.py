"""Queries about what hosts of models do for administrators. Policies show them to managers of models only."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from rxchat.db.platform.results import row_count
from rxchat.domain.model_hosts import HostJob, HostJobState
from rxchat.tables import HostJobRow

ABANDONED = timedelta(seconds=30)
"""A running job whose process has not written it for so long is watched by no process any more."""
_KEPT = timedelta(days=7)
_MOST = 50


async def latest(session: AsyncSession) -> list[HostJob]:
    """Return the running jobs and the last ended ones, the newest first."""
    await _end_abandoned(session)
    found = await session.execute(select(HostJobRow).order_by(col(HostJobRow.created_at).desc()).limit(_MOST))
    return [_job(row) for row in found.scalars()]


async def get(session: AsyncSession, job_id: UUID) -> HostJob | None:
    """Return a job."""
    await _end_abandoned(session)
    row = (await session.execute(select(HostJobRow).where(col(HostJobRow.id) == job_id))).scalar_one_or_none()
    return _job(row) if row is not None else None


async def add(session: AsyncSession, values: dict[str, Any]) -> bool:
    """Begin a job; False if the same one is running."""
    await _end_abandoned(session)
    await session.execute(delete(HostJobRow).where(col(HostJobRow.created_at) < func.now() - _KEPT))
    statement = insert(HostJobRow).values(**values).on_conflict_do_nothing()
    return (await session.execute(statement.returning(col(HostJobRow.id)))).scalar_one_or_none() is not None


async def write(session: AsyncSession, job_id: UUID, values: dict[str, Any]) -> bool:
    """Write the progress of a running job; False if it is to end: it was cancelled, or its user may not do it any more."""
    statement = update(HostJobRow).where(col(HostJobRow.id) == job_id, _IS_RUNNING)
    written = await session.execute(
        statement.values(**values, updated_at=func.now()).returning(col(HostJobRow.cancel_requested))
    )
    return written.scalar_one_or_none() is False


async def cancel(session: AsyncSession, job_id: UUID) -> bool:
    """Ask the process that watches a running job to end it; False if there is none."""
    statement = update(HostJobRow).where(col(HostJobRow.id) == job_id, _IS_RUNNING)
    return row_count(await session.execute(statement.values(cancel_requested=True))) == 1


async def _end_abandoned(session: AsyncSession) -> None:
    is_abandoned = col(HostJobRow.updated_at) < func.now() - ABANDONED
    await session.execute(update(HostJobRow).where(_IS_RUNNING, is_abandoned).values(state=HostJobState.INTERRUPTED))


_IS_RUNNING = col(HostJobRow.state) == HostJobState.RUNNING


def _job(row: HostJobRow) -> HostJob:
    return HostJob(
        row.id, row.kind, row.provider, row.host, row.model, row.state, row.status, row.completed_bytes, row.total_bytes,
        row.error, row.created_at, row.updated_at,
    )  # fmt: skip
