"""Queries about users' preferences."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from rxchat.domain.preferences import Preferences
from rxchat.tables import UserPreferences


async def get(session: AsyncSession, user_id: UUID) -> Preferences:
    """Return a user's preferences; the defaults if they never changed one."""
    found = await session.execute(
        select(col(UserPreferences.custom_instructions), col(UserPreferences.default_model)).where(
            col(UserPreferences.user_id) == user_id
        )
    )
    row = found.one_or_none()
    return Preferences(*row) if row else Preferences()


async def change(session: AsyncSession, user_id: UUID, **values: str) -> None:
    """Store these preferences; the others stay as they are."""
    await session.execute(
        insert(UserPreferences)
        .values(user_id=user_id, **values)
        .on_conflict_do_update(index_elements=["user_id"], set_=values)
    )
