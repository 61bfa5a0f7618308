"""Queries about downloads of all that is a user's, of which each user has one at a time."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, func, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from rxchat.db.platform.results import row_count
from rxchat.tables import DataExport


async def lease(session: AsyncSession, user_id: UUID, export_id: UUID, duration: timedelta) -> bool:
    """Lease the user's export for so long; False while another one has it."""
    values = {"id": export_id, "expires_at": func.now() + duration}
    leased = await session.execute(
        insert(DataExport)
        .values(user_id=user_id, **values)
        .on_conflict_do_update(
            index_elements=["user_id"],
            set_=values,
            where=col(DataExport.expires_at) <= func.now(),
        )
        .returning(col(DataExport.id))
    )
    return leased.scalar_one_or_none() is not None


async def renew(session: AsyncSession, user_id: UUID, export_id: UUID, duration: timedelta) -> bool:
    """Keep a lease for so long; False when it is another export's by now."""
    renewed = await session.execute(
        update(DataExport)
        .where(col(DataExport.user_id) == user_id, col(DataExport.id) == export_id)
        .values(expires_at=func.now() + duration)
    )
    return row_count(renewed) == 1


async def release(session: AsyncSession, user_id: UUID, export_id: UUID) -> None:
    """End a lease; nothing happens when it is another export's by now."""
    await session.execute(delete(DataExport).where(col(DataExport.user_id) == user_id, col(DataExport.id) == export_id))
