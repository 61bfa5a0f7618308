"""Queries about what administrators set for models."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from rxchat.db.platform.results import row_count
from rxchat.domain.model_parameters import Configuration
from rxchat.domain.model_settings import ModelSetting
from rxchat.tables import ModelSettingRow

_TAKE_TURNS = text("SELECT pg_advisory_xact_lock(hashtextextended('model_setting', 0))")


async def all_settings(session: AsyncSession) -> list[ModelSetting]:
    """Return what is set for models, by their names."""
    found = await session.execute(select(ModelSettingRow).order_by(col(ModelSettingRow.model)))
    return [_setting(row) for row in found.scalars()]


def _setting(row: ModelSettingRow) -> ModelSetting:
    return ModelSetting(
        model=row.model,
        label=row.label,
        description=row.description,
        position=row.position,
        is_hidden=row.is_hidden,
        is_default=row.is_default,
        is_cached=row.is_cached,
        configuration=Configuration(row.system_prompt, row.parameters),
        fallbacks=tuple(row.fallbacks),
        version=row.version,
    )


async def take_turns(session: AsyncSession) -> None:
    """Wait until no other administrator changes them, until the end of the transaction."""
    await session.execute(_TAKE_TURNS)


async def save(session: AsyncSession, setting: ModelSetting) -> None:
    """Store what is set for a model, except its position."""
    if setting.is_default:
        others = update(ModelSettingRow).where(
            col(ModelSettingRow.is_default), col(ModelSettingRow.model) != setting.model
        )
        await session.execute(others.values(is_default=False))
    values = {
        "label": setting.label,
        "description": setting.description,
        "is_hidden": setting.is_hidden,
        "is_default": setting.is_default,
        "is_cached": setting.is_cached,
        "system_prompt": setting.configuration.system_prompt,
        "parameters": dict(setting.configuration.parameters),
        "fallbacks": list(setting.fallbacks),
        "version": setting.version,
    }
    statement = insert(ModelSettingRow).values(model=setting.model, **values)
    await session.execute(
        statement.on_conflict_do_update(index_elements=["model"], set_=values | {"updated_at": func.now()})
    )


async def set_positions(session: AsyncSession, positions: Mapping[str, int]) -> None:
    """Store the positions of these models; the others have none from now on."""
    await session.execute(
        update(ModelSettingRow)
        .where(col(ModelSettingRow.position).is_not(None), col(ModelSettingRow.model).not_in(positions))
        .values(position=None)
    )
    if positions:
        statement = insert(ModelSettingRow).values(
            [{"model": name, "position": position} for name, position in positions.items()]
        )
        await session.execute(
            statement.on_conflict_do_update(index_elements=["model"], set_={"position": statement.excluded.position})
        )


async def remove(session: AsyncSession, model: str) -> bool:
    """Forget what is set for a model; False if nothing is."""
    return row_count(await session.execute(delete(ModelSettingRow).where(col(ModelSettingRow.model) == model))) == 1
