"""Queries about quotas, prices and the usage of models; what counts and limits is in stored procedures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, String, Uuid, bindparam, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from rxchat.db.platform.results import row_count
from rxchat.domain.quotas import Measure, ModelPrice, Quota, QuotaLimits, QuotaPeriod, QuotaState, QuotaSubject
from rxchat.tables import Group, ModelPriceRow, ModelUsageRow, QuotaRow, User

_RESERVE = text("SELECT * FROM reserve_usage(:id, :run, :model, :input, :output, :lease)").bindparams(
    bindparam("run", type_=Uuid), bindparam("model", type_=String)
)
_SETTLE = text("SELECT settle_usage(:id, :model, :requests, :input, :output, :is_repeated)")
_RENEW = text("SELECT renew_usage_reservations(:ids, :outputs, :lease)").bindparams(
    bindparam("ids", type_=ARRAY(Uuid)), bindparam("outputs", type_=ARRAY(BigInteger))
)
_OWN_STATES = text("SELECT * FROM own_quota_states(:model)").bindparams(bindparam("model", type_=String))
_PURGE = text("SELECT purge_usage_reservations()")


async def reserve(
    session: AsyncSession,
    reservation_id: UUID,
    run_id: UUID | None,
    model: str,
    input_tokens: int,
    output_tokens: int,
    lease: timedelta,
) -> QuotaState | None:
    """Reserve the usage of a request of the acting user; return the limit that refuses it."""
    found = await session.execute(
        _RESERVE,
        {
            "id": reservation_id,
            "run": run_id,
            "model": model,
            "input": input_tokens,
            "output": output_tokens,
            "lease": lease,
        },
    )
    row = found.mappings().one_or_none()
    return None if row is None else _state(row)


async def settle(
    session: AsyncSession,
    reservation_id: UUID,
    model: str,
    requests: int,
    input_tokens: int,
    output_tokens: int,
    *,
    is_repeated: bool,
) -> Decimal | None:
    """Count what a request has used instead of its reservation; return its cost, None if it is unknown."""
    found = await session.execute(
        _SETTLE,
        {
            "id": reservation_id,
            "model": model,
            "requests": requests,
            "input": input_tokens,
            "output": output_tokens,
            "is_repeated": is_repeated,
        },
    )
    return found.scalar_one()


async def renew(session: AsyncSession, outputs: Mapping[UUID, int], lease: timedelta) -> None:
    """Renew reservations, with the tokens that were written by now."""
    await session.execute(_RENEW, {"ids": list(outputs), "outputs": list(outputs.values()), "lease": lease})


async def purge(session: AsyncSession) -> int:
    """Delete old reservations of processes that died; return their number."""
    return (await session.execute(_PURGE)).scalar_one()


async def own_states(session: AsyncSession, model: str | None) -> list[QuotaState]:
    """Return the limits that hold for the acting user's requests to a model; None: to any."""
    return [_state(row) for row in (await session.execute(_OWN_STATES, {"model": model})).mappings()]


def _state(row: Mapping[Any, Any]) -> QuotaState:
    return QuotaState(**{**row, "measure": Measure(row["measure"]), "period": QuotaPeriod(row["period"])})


async def all_quotas(session: AsyncSession) -> list[Quota]:
    """Return all quotas: of every user first, then of groups and users by name."""
    statement = (
        select(QuotaRow, func.coalesce(col(Group.name), col(User.name), ""))
        .outerjoin(Group, col(Group.id) == col(QuotaRow.group_id))
        .outerjoin(User, col(User.id) == col(QuotaRow.user_id))
        .order_by(
            col(QuotaRow.user_id).is_not(None),
            col(QuotaRow.group_id).is_not(None),
            func.coalesce(col(Group.name), col(User.name), ""),
            col(QuotaRow.model),
            col(QuotaRow.period),
            col(QuotaRow.id),
        )
    )
    return [_quota(row, name) for row, name in await session.execute(statement)]


async def get(session: AsyncSession, quota_id: UUID) -> Quota | None:
    """Return a quota."""
    return next((item for item in await all_quotas(session) if item.id == quota_id), None)


def _quota(row: QuotaRow, name: str) -> Quota:
    return Quota(
        row.id,
        QuotaSubject(row.user_id, row.group_id, row.is_each),
        name,
        row.model,
        row.period,
        QuotaLimits(row.requests, row.tokens, row.cost),
    )


async def count(session: AsyncSession) -> int:
    """Return how many quotas there are."""
    return (await session.execute(select(func.count()).select_from(QuotaRow))).scalar_one()


async def add(session: AsyncSession, quota: Quota) -> None:
    """Add a quota."""
    subject, limits = quota.subject, quota.limits
    await session.execute(
        insert(QuotaRow).values(
            id=quota.id,
            user_id=subject.user_id,
            group_id=subject.group_id,
            is_each=subject.is_each,
            model=quota.model,
            period=quota.period,
            requests=limits.requests,
            tokens=limits.tokens,
            cost=limits.cost,
        )
    )


async def change(session: AsyncSession, quota_id: UUID, limits: QuotaLimits) -> bool:
    """Change the limits of a quota; what is used of it stays. False if it does not exist."""
    statement = update(QuotaRow).where(col(QuotaRow.id) == quota_id)
    values = {"requests": limits.requests, "tokens": limits.tokens, "cost": limits.cost}
    return row_count(await session.execute(statement.values(**values))) == 1


async def remove(session: AsyncSession, quota_id: UUID) -> bool:
    """Delete a quota; False if it does not exist."""
    return row_count(await session.execute(delete(QuotaRow).where(col(QuotaRow.id) == quota_id))) == 1


async def names_of(session: AsyncSession, subject: QuotaSubject) -> str | None:
    """Return the name of a quota's user or group, "" for every user; None if it does not exist."""
    if subject.user_id is None and subject.group_id is None:
        return ""
    statement = select(col(Group.name)).where(col(Group.id) == subject.group_id)
    if subject.user_id is not None:
        statement = select(col(User.name)).where(col(User.id) == subject.user_id)
    return (await session.execute(statement)).scalar_one_or_none()


async def prices(session: AsyncSession) -> list[ModelPrice]:
    """Return the prices of all models, by name."""
    found = (await session.execute(select(ModelPriceRow).order_by(col(ModelPriceRow.model)))).scalars()
    return [ModelPrice(row.model, row.input_price, row.output_price) for row in found]


async def set_price(session: AsyncSession, price: ModelPrice) -> None:
    """Set what a model costs from now on."""
    values = {"input_price": price.input_price, "output_price": price.output_price}
    statement = insert(ModelPriceRow).values(model=price.model, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=["model"], set_=values))


async def remove_price(session: AsyncSession, model: str) -> bool:
    """Delete the price of a model; False if it has none."""
    return row_count(await session.execute(delete(ModelPriceRow).where(col(ModelPriceRow.model) == model))) == 1


async def own_usage(session: AsyncSession, user_id: UUID) -> Sequence[ModelUsageRow]:
    """Return what a user has asked of each model on each day, the oldest first."""
    statement = select(ModelUsageRow).where(col(ModelUsageRow.user_id) == user_id)
    ordered = statement.order_by(col(ModelUsageRow.day), col(ModelUsageRow.model))
    return (await session.execute(ordered)).scalars().all()
