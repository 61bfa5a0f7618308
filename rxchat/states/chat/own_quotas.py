"""The user's quotas: what is left of each, as the account page shows it, and a reminder below the composer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.quotas import QuotaState, amount_words
from rxchat.services.app import container
from rxchat.states.platform.auth_guard import requires_user
from rxchat.states.platform.dialogs import DialogState, show_problem
from rxchat.states.platform.field_views import milliseconds

_STEPS = 1_000


@dataclass
class OwnQuotaView:
    """One limit, and how much of it is used."""

    key: str
    title: str
    used: int
    """Of a thousand."""
    look: str
    """"over" if nothing is left, "near" if little is, else ""."""
    left: str
    whose: str
    resets_at: int
    """In milliseconds since 1970."""


class OwnQuotasState(DialogState, rx.State):
    """The limits that hold for the user."""

    ready: bool = False
    quotas: list[OwnQuotaView] = []
    notice: str = ""
    """What should be known of a quota that is nearly used up; "" if none is."""
    notice_resets_at: int = 0

    @rx.event
    @partial(requires_user, refuse=show_problem)
    async def load(self, current_user: CurrentUser) -> None:
        """Show all limits."""
        found = await self._look(current_user)
        currency = container.get_services().models.quotas.currency
        self.quotas = [_view(item, currency) for item in found]
        self._done()
        self.ready = True

    @rx.event
    @requires_user
    async def remind(self, current_user: CurrentUser) -> None:
        """Show the limit that is nearly used up, if there is one."""
        await self._look(current_user)

    async def _look(self, current_user: CurrentUser) -> Sequence[QuotaState]:
        service = container.get_services().models.quotas
        found = await service.own(current_user)
        near = [item for item in found if item.is_nearly_used_up]
        # Which one is reached first is not known; the most used one says the most.
        most = max(
            near, key=lambda item: (item.is_used_up, item.used / item.amount if item.amount else 1), default=None
        )
        self.notice = _notice(most, service.currency) if most else ""
        self.notice_resets_at = milliseconds(most.resets_at) if most else 0
        return found


def _limit(item: QuotaState, currency: str) -> str:
    model = f" of {item.model}" if item.model else ""
    return f"{amount_words(item.measure, item.amount, currency)} a {item.period.value}{model}"


def _notice(item: QuotaState, currency: str) -> str:
    limit = _limit(item, currency)
    whose = "Your quota" if item.is_own or item.is_each else "The quota that you share with others"
    if item.is_used_up:
        return f"{whose} of {limit} is used up."
    left = amount_words(item.measure, item.left, currency)
    verb = "is" if left.startswith("1 ") else "are"
    return f"{left} {verb} left of {whose[0].lower()}{whose[1:]} of {limit}."


def _view(item: QuotaState, currency: str) -> OwnQuotaView:
    share = item.used / item.amount if item.amount else 1
    whose = "For you alone"
    if not (item.is_own or item.is_each):
        whose = f"Shared by the group “{item.group_name}”" if item.group_name else "Shared by all users"
    return OwnQuotaView(
        key=f"{item.quota_id}-{item.measure.value}",
        title=_limit(item, currency),
        used=min(_STEPS, int(share * _STEPS)),
        look="over" if item.is_used_up else "near" if item.is_nearly_used_up else "",
        left="Used up" if item.is_used_up else f"{amount_words(item.measure, item.left, currency)} left",
        whose=whose,
        resets_at=milliseconds(item.resets_at),
    )
