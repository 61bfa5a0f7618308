"""Quotas and prices: what users have left, and what administrators' programs set."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from rxchat.api.requests import ServicesDep, SignedIn, client_info_of
from rxchat.api.v1.scopes import needs
from rxchat.domain.authorization import require
from rxchat.domain.permissions import Permission, Scope
from rxchat.domain.quotas import (
    Quota,
    QuotaLimits,
    QuotaSubject,
    checked_limits,
    checked_model,
    checked_period,
    checked_price,
)

router = APIRouter(prefix="/api/v1", tags=["quotas"])
admin_router = APIRouter(prefix="/api/v1/admin", tags=["admin"])
_LONGEST_NAME = 300


async def _sets_quotas(current_user: SignedIn) -> None:
    """Refuse others before their requests are read."""
    require(current_user, Permission.SYSTEM_QUOTAS)


_NEEDS = needs(Scope.ADMIN, Depends(_sets_quotas))


class QuotaStateOut(BaseModel):
    """A limit that holds for you: how much of it is used, and what requests in progress have reserved."""

    measure: Literal["requests", "tokens", "cost"]
    period: Literal["day", "month"]
    model: str = Field(description="“” for all models together.")
    limit: float
    used: float
    reserved: float
    resets_at: datetime
    is_shared: bool = Field(description="Whether others use it, too.")


class QuotaStatesOut(BaseModel):
    """What you have left; costs are in the currency."""

    currency: str
    quotas: list[QuotaStateOut]


class LimitsIn(BaseModel):
    """At most so much in a period; null is not limited, 0 forbids."""

    requests: int | None = Field(default=None, ge=0)
    tokens: int | None = Field(default=None, ge=0)
    cost: Decimal | None = Field(default=None, ge=0, max_digits=24)

    def checked(self) -> QuotaLimits:
        """Return them as a service takes them."""
        return checked_limits(self.requests, self.tokens, self.cost)


class QuotaIn(LimitsIn):
    """A quota of a user, of a group, or without both of every user; with `is_each`, each of its users has it for themselves."""

    user_id: UUID | None = None
    group_id: UUID | None = None
    is_each: bool = False
    model: str = Field(default="", max_length=_LONGEST_NAME)
    period: Literal["day", "month"]


class QuotaOut(BaseModel):
    """A quota, with the name of its user or group."""

    id: UUID
    user_id: UUID | None
    group_id: UUID | None
    name: str
    is_each: bool
    model: str
    period: str
    requests: int | None
    tokens: int | None
    cost: float | None

    @classmethod
    def of(cls, item: Quota) -> QuotaOut:
        """Return a quota as it is sent."""
        subject, limits = item.subject, item.limits
        return cls(
            id=item.id,
            user_id=subject.user_id,
            group_id=subject.group_id,
            name=item.name,
            is_each=subject.is_each,
            model=item.model,
            period=item.period.value,
            requests=limits.requests,
            tokens=limits.tokens,
            cost=None if limits.cost is None else float(limits.cost),
        )


class QuotasOut(BaseModel):
    """All quotas; costs are in the currency."""

    currency: str
    quotas: list[QuotaOut]


class PriceIn(BaseModel):
    """What a million tokens of a model cost."""

    model: str = Field(min_length=1, max_length=_LONGEST_NAME)
    input_price: Decimal = Field(ge=0, max_digits=24)
    output_price: Decimal = Field(ge=0, max_digits=24)


class PriceOut(BaseModel):
    """What a million tokens of a model cost."""

    model: str
    input_price: float
    output_price: float


class PricesOut(BaseModel):
    """The prices of all models that have one."""

    currency: str
    prices: list[PriceOut]


@router.get("/quotas", **needs(Scope.READ))
async def my_quotas(current_user: SignedIn, services: ServicesDep) -> QuotaStatesOut:
    """List the limits that hold for you, what is used of them, and when they reset."""
    found = await services.models.quotas.own(current_user)
    states = [
        QuotaStateOut(
            measure=item.measure.value,
            period=item.period.value,
            model=item.model,
            limit=float(item.amount),
            used=float(item.used),
            reserved=float(item.reserved),
            resets_at=item.resets_at,
            is_shared=not (item.is_own or item.is_each),
        )
        for item in found
    ]
    return QuotaStatesOut(currency=services.models.quotas.currency, quotas=states)


@admin_router.get("/quotas", **_NEEDS)
async def list_quotas(current_user: SignedIn, services: ServicesDep) -> QuotasOut:
    """List all quotas. Needs the permission `system.quotas`, like all routes of quotas and prices."""
    found = await services.models.quotas.all(current_user)
    return QuotasOut(currency=services.models.quotas.currency, quotas=[QuotaOut.of(item) for item in found])


@admin_router.post("/quotas", status_code=201, **_NEEDS)
async def add_quota(body: QuotaIn, current_user: SignedIn, request: Request, services: ServicesDep) -> QuotaOut:
    """Add a quota. It holds at once, and counts what was used since its period began."""
    user_id = body.user_id
    subject = QuotaSubject(user_id, None if user_id else body.group_id, body.is_each)
    model, period = checked_model(body.model), checked_period(body.period)
    added = await services.models.quotas.add(
        current_user, subject, model, period, body.checked(), client_info_of(request)
    )
    return QuotaOut.of(added)


@admin_router.put("/quotas/{quota_id}", **_NEEDS)
async def change_quota(
    quota_id: UUID, body: LimitsIn, current_user: SignedIn, request: Request, services: ServicesDep
) -> QuotaOut:
    """Change the limits of a quota; what is used of it stays."""
    limits = body.checked()
    return QuotaOut.of(await services.models.quotas.change(current_user, quota_id, limits, client_info_of(request)))


@admin_router.delete("/quotas/{quota_id}", status_code=204, **_NEEDS)
async def delete_quota(quota_id: UUID, current_user: SignedIn, request: Request, services: ServicesDep) -> None:
    """Delete a quota."""
    await services.models.quotas.delete(current_user, quota_id, client_info_of(request))


@admin_router.get("/prices", **_NEEDS)
async def list_prices(current_user: SignedIn, services: ServicesDep) -> PricesOut:
    """List what models cost."""
    found = await services.models.quotas.prices(current_user)
    prices = [
        PriceOut(model=item.model, input_price=float(item.input_price), output_price=float(item.output_price))
        for item in found
    ]
    return PricesOut(currency=services.models.quotas.currency, prices=prices)


@admin_router.put("/prices", status_code=204, **_NEEDS)
async def set_price(body: PriceIn, current_user: SignedIn, request: Request, services: ServicesDep) -> None:
    """Set what a model costs from now on."""
    price = checked_price(body.model, body.input_price, body.output_price)
    await services.models.quotas.set_price(current_user, price, client_info_of(request))


@admin_router.delete("/prices", status_code=204, **_NEEDS)
async def delete_price(
    model: Annotated[str, Query(max_length=_LONGEST_NAME)],
    current_user: SignedIn,
    request: Request,
    services: ServicesDep,
) -> None:
    """Delete the price of a model, which costs nothing from now on."""
    await services.models.quotas.delete_price(current_user, model, client_info_of(request))
