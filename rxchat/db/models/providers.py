"""Queries about providers of models that administrators add."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from rxchat.db.platform.results import row_count
from rxchat.tables import ModelProviderRow

_CONVERSATIONS = text("SELECT model, conversations, users FROM conversations_of_provider(:provider)")


@dataclass(frozen=True, slots=True)
class ModelInUse:
    """A model, and how many conversations of how many users are to be answered by it next."""

    model: str
    conversations: int
    users: int


async def all_providers(session: AsyncSession) -> list[ModelProviderRow]:
    """Return all providers by name."""
    return list((await session.execute(select(ModelProviderRow).order_by(col(ModelProviderRow.name)))).scalars())


async def get(session: AsyncSession, name: str) -> ModelProviderRow | None:
    """Return the provider with this name, locked until the end of the transaction."""
    statement = select(ModelProviderRow).where(col(ModelProviderRow.name) == name).with_for_update()
    return (await session.execute(statement)).scalar_one_or_none()


async def add(session: AsyncSession, values: dict[str, Any]) -> bool:
    """Add a provider; False if there is one with its name."""
    statement = insert(ModelProviderRow).values(**values).on_conflict_do_nothing(index_elements=["name"])
    added = await session.execute(statement.returning(col(ModelProviderRow.name)))
    return added.scalar_one_or_none() is not None


async def change(session: AsyncSession, name: str, values: dict[str, Any]) -> bool:
    """Change a provider; False if it does not exist."""
    statement = update(ModelProviderRow).where(col(ModelProviderRow.name) == name)
    return row_count(await session.execute(statement.values(**values, updated_at=func.now()))) == 1


async def remove(session: AsyncSession, name: str) -> bool:
    """Delete a provider; False if it does not exist."""
    return row_count(await session.execute(delete(ModelProviderRow).where(col(ModelProviderRow.name) == name))) == 1


async def conversations_of(session: AsyncSession, name: str) -> list[ModelInUse]:
    """Return which of a provider's models conversations are to be answered by next; administrators only."""
    found = await session.execute(_CONVERSATIONS, {"provider": name})
    return [ModelInUse(row.model, row.conversations, row.users) for row in found]
