"""Queries about users' preferences."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from rxchat.domain.preferences import Preferences
from rxchat.tables import UserPreferences

_TAKE_TURNS = text("SELECT pg_advisory_xact_lock(hashtextextended('user_preferences ' || :user, 0))")


async def get(session: AsyncSession, user_id: UUID) -> Preferences:
    """Return a user's preferences; the defaults if they never changed one."""
    found = await session.execute(
        select(
            col(UserPreferences.custom_instructions),
            col(UserPreferences.default_model),
            col(UserPreferences.favorite_models),
        ).where(col(UserPreferences.user_id) == user_id)
    )
    row = found.one_or_none()
    return Preferences(row.custom_instructions, row.default_model, tuple(row.favorite_models)) if row else Preferences()


async def take_turns(session: AsyncSession, user_id: UUID) -> None:
    """Wait until no other tab of the user changes them, until the end of the transaction."""
    await session.execute(_TAKE_TURNS, {"user": str(user_id)})


async def change(session: AsyncSession, user_id: UUID, **values: str | list[str]) -> None:
    """Store these preferences; the others stay as they are."""
    await session.execute(
        insert(UserPreferences)
        .values(user_id=user_id, **values)
        .on_conflict_do_update(index_elements=["user_id"], set_=values)
    )
