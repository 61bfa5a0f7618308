"""The page of usage: what is asked of models, by day, model, user and group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.usage import PERIODS, ModelUsage, UsagePart
from rxchat.services.app import container
from rxchat.states.access.admin import AdminPage, administering

CHARTED = 8
"""How many models, users or groups have a color of their own in the chart; the others are one."""
_NAMES = {"tokens": "Tokens", "requests": "Requests", "cost": "Cost"}
_OTHERS, _NO_GROUP = "Others", "In no group"


@dataclass
class UsageLine:
    """A model, user or group with its numbers."""

    key: str
    label: str
    color: str
    """The number of its color in the chart."""
    requests: str
    read: str
    written: str
    cost: str


@dataclass
class ModelUsageView:
    """How well a model answers in conversations."""

    model: str
    answers: str
    failed: str
    speed: str


class UsageState(AdminPage, rx.State):
    """The usage of one period."""

    days: str = "30"
    by: str = "model"
    measure: str = "tokens"
    chart: list[dict[str, Any]] = []
    """Each day with the amounts of the series: `day`, `s0`, `s1` and so on."""
    names: list[str] = []
    """The labels of the series, as many as there can be."""
    chart_words: str = ""
    """What the chart shows, in words."""
    requests: str = ""
    tokens: str = ""
    cost: str = ""
    lines: list[UsageLine] = []
    models: list[ModelUsageView] = []
    export_path: str = ""

    @rx.event
    @administering
    async def load(self, current_user: CurrentUser) -> None:
        """Show what was chosen last."""
        await self._show(current_user, self.days, self.by, self.measure)

    @rx.event
    @administering
    async def choose(self, current_user: CurrentUser, days: str) -> None:
        """Show another period."""
        await self._show(current_user, days, self.by, self.measure)

    @rx.event
    @administering
    async def divide(self, current_user: CurrentUser, by: str) -> None:
        """Divide it by model, user or group."""
        await self._show(current_user, self.days, by, self.measure)

    @rx.event
    @administering
    async def measure_by(self, current_user: CurrentUser, measure: str) -> None:
        """Show tokens, requests or cost in the chart."""
        await self._show(current_user, self.days, self.by, measure)

    async def _show(self, current_user: CurrentUser, days: str, by: str, measure: str) -> None:
        chosen = next((period for period in PERIODS if str(period) == days), 0)
        services = container.get_services()
        parts = await services.app.system_status.series(current_user, chosen, by, measure)
        usage = await services.app.system_status.usage(current_user, chosen)
        self._done()
        self.days, self.by, self.measure = str(chosen), by, measure
        currency = services.models.quotas.currency
        labels = _labels(parts, measure)
        charted = labels[:CHARTED] if len(labels) > CHARTED + 1 else labels
        self.names = [label for _, label in charted] + [_OTHERS] * (CHARTED + 1 - len(charted))
        self.chart = _chart(parts, [key for key, _ in charted], measure, chosen)
        self.chart_words = _words(parts, measure, chosen, currency)
        self.lines = [_line(key, label, parts, charted, currency) for key, label in labels]
        self.requests = f"{sum(item.requests for item in parts):,}"
        self.tokens = f"{sum(item.input_tokens + item.output_tokens for item in parts):,}"
        self.cost = _money(sum((item.cost for item in parts), Decimal(0)), currency)
        self.models = [_model(item) for item in usage.models]
        self.export_path = f"/api/admin/usage/export?days={chosen}"
        self.loaded = True


def _labels(parts: Sequence[UsagePart], measure: str) -> list[tuple[str | None, str]]:
    """Return keys with labels, the largest first; what is not named comes last."""
    totals: dict[str | None, Decimal] = {}
    labels: dict[str | None, str] = {}
    for item in parts:
        totals[item.key] = totals.get(item.key, Decimal(0)) + item.amount(measure)
        labels[item.key] = _OTHERS if item.key is None else item.label or _NO_GROUP
    keys = sorted(totals, key=lambda key: (key is None, -totals[key], labels[key]))
    return [(key, labels[key]) for key in keys]


def _chart(parts: Sequence[UsagePart], keys: Sequence[str | None], measure: str, days: int) -> list[dict[str, Any]]:
    today, places = datetime.now(UTC).date(), {key: place for place, key in enumerate(keys)}
    found: dict[date, dict[str, Any]] = {}
    for before in reversed(range(days)):
        day = today - timedelta(days=before)
        found[day] = {"day": f"{day:%d %b}".lstrip("0")}
    for item in parts:
        if item.day in found:
            series = f"s{places.get(item.key, CHARTED)}"
            found[item.day][series] = float(item.amount(measure)) + found[item.day].get(series, 0)
    return list(found.values())


def _words(parts: Sequence[UsagePart], measure: str, days: int, currency: str) -> str:
    totals: dict[date, Decimal] = {}
    for item in parts:
        totals[item.day] = totals.get(item.day, Decimal(0)) + item.amount(measure)
    name = _NAMES[measure]
    most = max(totals, key=lambda day: totals[day], default=None)
    if most is None or not totals[most]:
        return f"{name} per day for {days} days: none."
    amount = _money(totals[most], currency) if measure == "cost" else f"{int(totals[most]):,}"
    return f"{name} per day for {days} days, most on {most:%d %b %Y}: {amount}."


def _line(
    key: str | None,
    label: str,
    parts: Sequence[UsagePart],
    charted: Sequence[tuple[str | None, str]],
    currency: str,
) -> UsageLine:
    own = [item for item in parts if item.key == key]
    place = next((place for place, (named, _) in enumerate(charted) if named == key), CHARTED)
    return UsageLine(
        key="others" if key is None else f"of {key}",
        label=label,
        color=str(place),
        requests=f"{sum(item.requests for item in own):,}",
        read=f"{sum(item.input_tokens for item in own):,}",
        written=f"{sum(item.output_tokens for item in own):,}",
        cost=_money(sum((item.cost for item in own), Decimal(0)), currency),
    )


def _money(amount: Decimal, currency: str) -> str:
    return f"{amount:,.2f} {currency}" if amount else "–"


def _model(item: ModelUsage) -> ModelUsageView:
    speed = f"{item.tokens_per_second:,.0f}" if item.tokens_per_second else "–"
    failed = f"{item.failed:,} ({100 * item.failed / item.answers:.0f} %)" if item.failed else "–"
    return ModelUsageView(item.model, f"{item.answers:,}", failed, speed)
