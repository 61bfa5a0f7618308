"""The page of users' ratings of answers: how many each model has, and the newest ones with their reasons."""

from __future__ import annotations

from dataclasses import dataclass

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.feedback import REASONS, Rating, ReceivedFeedback
from rxchat.services.app import container
from rxchat.services.chat.feedback import PAGE
from rxchat.states.access.admin import AdminPage, administering
from rxchat.states.platform.field_views import milliseconds


@dataclass
class ModelRatingsView:
    """A model with its ratings."""

    model: str
    good: int
    bad: int
    share: str
    """How many of the ratings are good, in percent."""


@dataclass
class FeedbackView:
    """A rating in words."""

    id: str
    at: int
    user: str
    model: str
    is_good: bool
    reasons: str
    comment: str


class FeedbackState(AdminPage, rx.State):
    """The ratings that are shown so far."""

    models: list[ModelRatingsView] = []
    rows: list[FeedbackView] = []
    has_older: bool = False
    _last: ReceivedFeedback | None = None

    @rx.event
    @administering
    async def load(self, current_user: CurrentUser) -> None:
        """Show the numbers, and the newest ratings."""
        self.problem, self._last = "", None
        found = await container.get_services().chat.feedback.by_model(current_user)
        self.models = [
            ModelRatingsView(item.model, item.good, item.bad, f"{100 * item.good / (item.good + item.bad):.0f} %")
            for item in found
        ]
        self.rows = await self._read(current_user)
        self.loaded = True

    async def _read(self, current_user: CurrentUser) -> list[FeedbackView]:
        found = await container.get_services().chat.feedback.received(current_user, self._last)
        self.has_older = len(found) == PAGE
        self._last = found[-1] if found else self._last
        return [_view(item) for item in found]

    @rx.event
    @administering
    async def older(self, current_user: CurrentUser) -> None:
        """Show older ratings, too."""
        self.rows = [*self.rows, *await self._read(current_user)]


def _view(item: ReceivedFeedback) -> FeedbackView:
    reasons = " · ".join(REASONS[key] for key in item.reasons if key in REASONS)
    return FeedbackView(
        item.id, milliseconds(item.at), item.user_name, item.model, item.rating is Rating.GOOD, reasons, item.comment
    )
