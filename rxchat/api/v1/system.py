"""Usage and the state of the system, for administrators' programs."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from rxchat.api.requests import ServicesDep, SignedIn
from rxchat.api.v1.scopes import needs
from rxchat.domain.permissions import Scope

router = APIRouter(prefix="/api/v1/admin", tags=["admin"])


class DayOut(BaseModel):
    """One day in UTC."""

    day: date
    answers: int
    tokens: int
    users: int


class ModelUsageOut(BaseModel):
    """One model; `tokens_per_second` is the median, 0 if it is unknown."""

    model: str
    answers: int
    failed: int
    tokens: int
    users: int
    tokens_per_second: float


class UserUsageOut(BaseModel):
    """One user."""

    user_id: UUID
    name: str
    answers: int
    tokens: int
    last_at: datetime


class UsageOut(BaseModel):
    """A period: each day, the oldest first; models and at most 100 users, most answers first."""

    days: list[DayOut]
    models: list[ModelUsageOut]
    users: list[UserUsageOut]


class UsagePartOut(BaseModel):
    """What was asked on one day of a model, by a user or by the users of a group; `key` is null for all that are not named."""

    day: date
    key: str | None
    label: str
    requests: int
    input_tokens: int
    output_tokens: int
    cost: float


class UsageSeriesOut(BaseModel):
    """Days and what was asked on them, in order; costs are in the currency."""

    currency: str
    parts: list[UsagePartOut]


class ComponentOut(BaseModel):
    """A component; `problem` is "" while it works. RxChat needs it if `is_needed`."""

    name: str
    problem: str
    is_needed: bool


class QueueOut(BaseModel):
    """A queue of background jobs."""

    queue: str
    waiting: int
    running: int
    failed: int
    oldest_waiting: datetime | None


class StoredOut(BaseModel):
    """What is stored; `active_users` are those of the last seven days."""

    users: int
    active_users: int
    conversations: int
    messages: int
    documents: int
    files: int
    file_bytes: int
    database_bytes: int


class SystemOut(BaseModel):
    """The state of the system."""

    checked_at: datetime
    components: list[ComponentOut]
    queues: list[QueueOut]
    answers_waiting: int
    answers_running: int
    stored: StoredOut
    versions: dict[str, str]


@router.get("/usage", **needs(Scope.ADMIN))
async def usage(
    current_user: SignedIn,
    services: ServicesDep,
    days: Annotated[int, Query(description="The length of the period: 7, 30 or 90.")] = 30,
) -> UsageOut:
    """Count answers by day, model and user. Needs the permission `system.read`."""
    found = await services.app.system_status.usage(current_user, days)
    return UsageOut(
        days=[DayOut.model_validate(item, from_attributes=True) for item in found.days],
        models=[ModelUsageOut.model_validate(item, from_attributes=True) for item in found.models],
        users=[
            UserUsageOut(
                user_id=item.user_id,
                name=item.user_name,
                answers=item.answers,
                tokens=item.tokens,
                last_at=item.last_at,
            )
            for item in found.users
        ],
    )


@router.get("/usage/series", **needs(Scope.ADMIN))
async def usage_series(
    current_user: SignedIn,
    services: ServicesDep,
    days: Annotated[int, Query(description="The length of the period: 7, 30 or 90.")] = 30,
    by: Annotated[
        str, Query(description="What it is divided by: `model`, `user` or `group`.", max_length=20)
    ] = "model",
    measure: Annotated[
        str, Query(description="Whose largest 100 are named: `tokens`, `requests` or `cost`.", max_length=20)
    ] = "tokens",
) -> UsageSeriesOut:
    """Return what was asked of models on each day: by pages and programs. Needs the permission `system.read`."""
    found = await services.app.system_status.series(current_user, days, by, measure)
    parts = [UsagePartOut.model_validate(item, from_attributes=True) for item in found]
    return UsageSeriesOut(currency=services.models.quotas.currency, parts=parts)


@router.get("/system", **needs(Scope.ADMIN))
async def system(current_user: SignedIn, services: ServicesDep) -> SystemOut:
    """Check each component, and count what is stored and what waits. Needs the permission `system.read`."""
    state = await services.app.system_status.state(current_user)
    return SystemOut(
        checked_at=state.checked_at,
        components=[ComponentOut.model_validate(item, from_attributes=True) for item in state.components],
        queues=[QueueOut.model_validate(item, from_attributes=True) for item in state.queues],
        answers_waiting=state.totals.answers_waiting,
        answers_running=state.totals.answers_running,
        stored=StoredOut.model_validate(state.totals, from_attributes=True),
        versions=state.versions,
    )
