"""The page of usage: answers by day, model and user."""

from __future__ import annotations

from dataclasses import dataclass

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.usage import PERIODS, DayUsage, ModelUsage, UserUsage
from rxchat.services.app import container
from rxchat.states.access.admin import AdminPage, administering
from rxchat.states.platform.field_views import milliseconds

CHART_HEIGHT = 120
_BAR = 10


@dataclass
class DayBar:
    """One day of the chart."""

    title: str
    x: int
    y: int
    height: int


@dataclass
class ModelUsageView:
    """A model with its numbers."""

    model: str
    answers: str
    failed: str
    tokens: str
    users: int
    speed: str


@dataclass
class UserUsageView:
    """A user with their numbers."""

    id: str
    name: str
    answers: str
    tokens: str
    last_at: int


class UsageState(AdminPage, rx.State):
    """The usage of one period."""

    days: str = "30"
    bars: list[DayBar] = []
    chart_width: int = 0
    chart_words: str = ""
    """What the chart shows, in words."""
    answers: str = ""
    tokens: str = ""
    active: str = ""
    """How many users there were."""
    models: list[ModelUsageView] = []
    users: list[UserUsageView] = []

    @rx.event
    @administering
    async def load(self, current_user: CurrentUser) -> None:
        """Show the last period that was chosen."""
        await self._show(current_user, self.days)

    @rx.event
    @administering
    async def choose(self, current_user: CurrentUser, days: str) -> None:
        """Show another period."""
        await self._show(current_user, days)

    async def _show(self, current_user: CurrentUser, days: str) -> None:
        chosen = next((period for period in PERIODS if str(period) == days), 0)
        usage = await container.get_services().app.system_status.usage(current_user, chosen)
        self._done()
        self.days = str(chosen)
        self.bars, self.chart_width = _bars(usage.days), _BAR * len(usage.days)
        self.chart_words = _words(usage.days)
        self.answers = f"{sum(item.answers for item in usage.models):,}"
        self.tokens = f"{sum(item.tokens for item in usage.models):,}"
        self.active = f"{len(usage.users):,}"
        self.models = [_model(item) for item in usage.models]
        self.users = [_user(item) for item in usage.users]
        self.loaded = True


def _bars(days: list[DayUsage]) -> list[DayBar]:
    most = max((item.answers for item in days), default=0) or 1
    heights = [round(CHART_HEIGHT * item.answers / most) for item in days]
    return [
        DayBar(f"{item.day:%d %b %Y}: {item.answers:,} answers", _BAR * place, CHART_HEIGHT - height, height)
        for place, (item, height) in enumerate(zip(days, heights, strict=True))
    ]


def _words(days: list[DayUsage]) -> str:
    most = max(days, key=lambda item: item.answers, default=None)
    if most is None or most.answers == 0:
        return f"Answers per day for {len(days)} days: none."
    return f"Answers per day for {len(days)} days, most on {most.day:%d %b %Y}: {most.answers:,}."


def _model(item: ModelUsage) -> ModelUsageView:
    speed = f"{item.tokens_per_second:,.0f}" if item.tokens_per_second else "–"
    failed = f"{item.failed:,} ({100 * item.failed / item.answers:.0f} %)" if item.failed else "–"
    return ModelUsageView(item.model, f"{item.answers:,}", failed, f"{item.tokens:,}", item.users, speed)


def _user(item: UserUsage) -> UserUsageView:
    return UserUsageView(
        str(item.user_id), item.user_name, f"{item.answers:,}", f"{item.tokens:,}", milliseconds(item.last_at)
    )
