"""Quotas, prices, and what is asked of models."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Numeric, UniqueConstraint, Uuid
from sqlmodel import Field

from rxchat.domain.ids import new_id
from rxchat.domain.quotas import QuotaPeriod
from rxchat.tables.base import Table, enum_column, moment

_NUMERIC = cast("type[Any]", Numeric())
_IDS = cast("type[Any]", ARRAY(Uuid))


class QuotaRow(Table, table=True):
    """A limit of what users may ask of models in a period. Without a group and a user it is about every user."""

    __table_args__ = (
        CheckConstraint("group_id IS NULL OR user_id IS NULL", "subject"),
        CheckConstraint("period IN ('day', 'month')", "period"),
        CheckConstraint("num_nonnulls(requests, tokens, cost) > 0", "measure"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    group_id: UUID | None = Field(default=None, foreign_key="user_group.id", ondelete="CASCADE", index=True)
    user_id: UUID | None = Field(default=None, foreign_key="user_account.id", ondelete="CASCADE", index=True)
    is_each: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    """Whether each of its users has it for themselves, instead of sharing it."""
    model: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """The name of a model; "" for all models together."""
    period: QuotaPeriod = enum_column(QuotaPeriod)
    requests: int | None = Field(default=None, sa_type=BigInteger)
    tokens: int | None = Field(default=None, sa_type=BigInteger)
    cost: Decimal | None = Field(default=None, sa_type=_NUMERIC)
    created_at: datetime = moment(default_now=True)


class QuotaCounter(Table, table=True):
    """How much of a quota is used in a period; of a shared one, `user_id` is zero."""

    __table_args__ = (UniqueConstraint("quota_id", "user_id", "period_start"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    quota_id: UUID = Field(foreign_key="quota.id", ondelete="CASCADE")
    user_id: UUID
    period_start: date
    requests: int = Field(sa_type=BigInteger)
    tokens: int = Field(sa_type=BigInteger)
    cost: Decimal = Field(sa_type=_NUMERIC)


class ModelPriceRow(Table, table=True):
    """What a million tokens of a model cost, in the currency of the installation."""

    __table_args__ = (CheckConstraint("input_price >= 0 AND output_price >= 0", "not_negative"),)

    model: str = Field(primary_key=True)
    input_price: Decimal = Field(sa_type=_NUMERIC)
    output_price: Decimal = Field(sa_type=_NUMERIC)


class UsageReservation(Table, table=True):
    """What a request in progress is expected to use."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    user_id: UUID = Field(foreign_key="user_account.id", ondelete="CASCADE", index=True)
    run_id: UUID | None = Field(default=None, index=True)
    model: str
    day: date
    counter_ids: list[UUID] = Field(sa_type=_IDS)
    input_tokens: int = Field(sa_type=BigInteger)
    output_tokens: int = Field(sa_type=BigInteger)
    cost: Decimal = Field(sa_type=_NUMERIC)
    expires_at: datetime = moment()


class ModelUsageRow(Table, table=True):
    """What a user has asked of a model on a day, in UTC."""

    user_id: UUID = Field(primary_key=True, foreign_key="user_account.id", ondelete="CASCADE")
    day: date = Field(primary_key=True, index=True)
    model: str = Field(primary_key=True)
    requests: int = Field(sa_type=BigInteger)
    input_tokens: int = Field(sa_type=BigInteger)
    output_tokens: int = Field(sa_type=BigInteger)
    cost: Decimal = Field(sa_type=_NUMERIC)
