"""Queries about the schema's revision."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


async def revision(session: AsyncSession) -> str | None:
    """Return the revision of the database, or None before the first migration."""
    exists = await session.execute(text("SELECT to_regclass('alembic_version') IS NOT NULL"))
    if not exists.scalar_one():
        return None
    return (await session.execute(text("SELECT version_num FROM alembic_version"))).scalar_one_or_none()
