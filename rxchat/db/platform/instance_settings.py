"""Queries about the settings of this instance that administrators change."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from rxchat.tables import InstanceSetting


async def all_settings(session: AsyncSession) -> dict[str, Any]:
    """Return the settings that administrators have changed, by name."""
    found = await session.execute(select(col(InstanceSetting.name), col(InstanceSetting.value)))
    return {row[0]: row[1] for row in found.all()}


async def set_setting(session: AsyncSession, name: str, value: Any) -> None:
    """Change a setting."""
    statement = insert(InstanceSetting).values(name=name, value=value)
    await session.execute(
        statement.on_conflict_do_update(index_elements=["name"], set_={"value": value, "changed_at": func.now()})
    )
