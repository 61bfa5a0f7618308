"""Quotas: how much users may ask of models in a day or a month, and what models cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from rxchat.domain.chat import ChatMessage, ChatOptions, ToolSpec
from rxchat.domain.errors import InvalidInput, ModelUnknown, QuotaExceeded
from rxchat.domain.preferences import valid_model_name
from rxchat.domain.text import encodable

DEFAULT_OUTPUT_TOKENS = 4_096
"""How long an answer is expected to be at most, if the request does not limit it; it is counted on while it becomes longer."""
MOST_QUOTAS = 500
_MOST_AMOUNT = 10**15
_BYTES_A_TOKEN = 3.6
_MESSAGE_TOKENS = 6
_IMAGE_TOKENS = 800
_SOON_SECONDS = 5.0
_NEARLY = Decimal("0.8")
"""The part of a quota after which users are reminded of it."""


class QuotaPeriod(StrEnum):
    """How long a quota lasts; periods begin at midnight in UTC."""

    DAY = "day"
    MONTH = "month"


class Measure(StrEnum):
    """What a quota limits."""

    REQUESTS = "requests"
    TOKENS = "tokens"
    COST = "cost"


@dataclass(frozen=True, slots=True)
class QuotaSubject:
    """Whose requests a quota limits: of a user, of a group, or without both of every user."""

    user_id: UUID | None = None
    group_id: UUID | None = None
    is_each: bool = False
    """Whether each of several users has it for themselves, instead of sharing it."""


@dataclass(frozen=True, slots=True)
class QuotaLimits:
    """At most so much; None: not limited by this quota."""

    requests: int | None = None
    tokens: int | None = None
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Quota:
    """A quota, with the name of its user or group."""

    id: UUID
    subject: QuotaSubject
    name: str
    model: str
    """The name of a model; "" for all models together."""
    period: QuotaPeriod
    limits: QuotaLimits


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """What a million tokens of a model cost."""

    model: str
    input_price: Decimal
    output_price: Decimal


@dataclass(frozen=True, slots=True)
class QuotaState:
    """One limit that holds for a user, and how much of it is used."""

    quota_id: UUID
    measure: Measure
    amount: Decimal
    used: Decimal
    reserved: Decimal
    """What requests in progress are expected to use."""
    resets_at: datetime
    period: QuotaPeriod
    model: str
    group_name: str
    is_own: bool
    """Whether it is a quota of this user alone."""
    is_each: bool

    @property
    def left(self) -> Decimal:
        """How much is left, without what is reserved."""
        return max(Decimal(0), self.amount - self.used)

    @property
    def is_used_up(self) -> bool:
        """Whether nothing is left."""
        return self.used >= self.amount

    @property
    def is_nearly_used_up(self) -> bool:
        """Whether four fifths are used."""
        return self.used >= self.amount * _NEARLY


def amount_words(measure: Measure, amount: Decimal, currency: str) -> str:
    """Return an amount with its unit."""
    if measure is Measure.COST:
        return f"{amount:,.2f} {currency}"
    unit = "request" if measure is Measure.REQUESTS else "token"
    return f"{int(amount):,} {unit}{'' if int(amount) == 1 else 's'}"


def refusal(state: QuotaState, currency: str, now: datetime | None = None) -> QuotaExceeded:
    """Return the error for a request that a quota does not allow: which one, and when it is possible again."""
    seconds = max(1.0, (state.resets_at - (now or datetime.now(UTC))).total_seconds())
    of_model = f" of {state.model}" if state.model else ""
    limit = f"{amount_words(state.measure, state.amount, currency)} a {state.period.value}{of_model}"
    if state.is_own or state.is_each:
        whose = f"Your quota of {limit}"
    elif state.group_name:
        whose = f"The quota of the group “{state.group_name}”, {limit},"
    else:
        whose = f"The quota of this installation, {limit},"
    if not state.is_used_up:
        return QuotaExceeded(
            f"{whose} is reserved by answers that are being written. Try again when they have ended.",
            retry_after_seconds=_SOON_SECONDS,
        )
    when = f"{state.resets_at:%d %B %Y at %H:%M} UTC".lstrip("0")
    return QuotaExceeded(
        f"{whose} is used up. It resets on {when}. Until then, "
        + (
            "choose another model, or ask an administrator for more."
            if state.model
            else "ask an administrator for more."
        ),
        retry_after_seconds=math.ceil(seconds),
    )


def rough_tokens(text: str) -> int:
    """Return about how many tokens a text has, quickly; providers say the number that is settled."""
    return math.ceil(len(text.encode("utf-8", "replace")) / _BYTES_A_TOKEN)


def input_tokens(messages: Sequence[ChatMessage], tools: Sequence[ToolSpec] = ()) -> int:
    """Return about how many tokens a request has."""
    return sum(
        rough_tokens(message.content)
        + _MESSAGE_TOKENS
        + _IMAGE_TOKENS * len(message.images)
        + sum(rough_tokens(f"{call.name} {call.arguments}") for call in message.tool_calls)
        for message in messages
    ) + sum(rough_tokens(f"{tool.name} {tool.description} {tool.parameters}") for tool in tools)


def output_tokens(options: ChatOptions, context_tokens: int) -> int:
    """Return how many tokens to reserve for an answer."""
    if options.max_tokens is not None:
        return max(1, options.max_tokens)
    return min(DEFAULT_OUTPUT_TOKENS, context_tokens // 4) if context_tokens else DEFAULT_OUTPUT_TOKENS


def checked_limits(requests: int | None, tokens: int | None, cost: Decimal | None) -> QuotaLimits:
    """Return the limits of a quota.

    Raises:
        InvalidInput: for the field that is wrong; when there is no limit at all.
    """
    for field, amount in (("requests", requests), ("tokens", tokens), ("cost", cost)):
        if amount is not None and not 0 <= amount <= _MOST_AMOUNT:
            raise InvalidInput("Enter a number from 0 on, or leave it empty.", field=field)
    if requests is None and tokens is None and cost is None:
        raise InvalidInput("Enter at least one limit: requests, tokens or cost.", field="requests")
    return QuotaLimits(requests, tokens, None if cost is None else cost.quantize(Decimal("0.000001")))


def checked_price(model: str, input_price: Decimal | None, output_price: Decimal | None) -> ModelPrice:
    """Return the price of a model.

    Raises:
        InvalidInput: for the field that is wrong.
    """
    name = checked_model(model)
    if not name:
        raise InvalidInput("Choose a model.", field="model")
    prices: list[Decimal] = []
    for field, price in (("input_price", input_price), ("output_price", output_price)):
        if price is None or not 0 <= price <= 1_000_000:
            raise InvalidInput("Enter a price for a million tokens, such as 0.15; 0 if it costs nothing.", field=field)
        prices.append(price.quantize(Decimal("0.000001")))
    return ModelPrice(name, prices[0], prices[1])


def checked_model(name: str) -> str:
    """Return the name of a model as it is stored; "" for all models.

    Raises:
        InvalidInput: when it is no possible name.
    """
    return valid_model_name(name)


def require_possible(model: str) -> None:
    """Refuse what Postgres cannot store, and what so is the name of no model.

    Raises:
        ModelUnknown: when it is none.
    """
    if "\0" in model or encodable(model) != model:
        raise ModelUnknown("There is no model with this name.")


def checked_period(value: str) -> QuotaPeriod:
    """Return a period.

    Raises:
        InvalidInput: when it is none.
    """
    try:
        return QuotaPeriod(value)
    except ValueError as error:
        raise InvalidInput("Choose a day or a month.", field="period") from error
