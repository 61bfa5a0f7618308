"""The page of models: what the hosts offer, and how much it is used."""

from __future__ import annotations

from dataclasses import dataclass

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.services.app import container
from rxchat.services.app.system_status import ModelState
from rxchat.states.access.admin import AdminPage, administering


@dataclass
class ModelView:
    """A model in words."""

    name: str
    detail: str
    host: str
    context: str
    answers: str
    badge: str
    look: str


class ModelsState(AdminPage, rx.State):
    """The models that are offered, or were used."""

    models: list[ModelView] = []
    host_problem: str = ""

    @rx.event
    @administering
    async def load(self, current_user: CurrentUser) -> None:
        """Ask the hosts, and show what they offer."""
        found = await container.get_services().app.system_status.models(current_user)
        self._done()
        self.models = [_view(item) for item in found.models]
        self.host_problem = found.problem
        self.loaded = True


def _view(item: ModelState) -> ModelView:
    answers = f"{item.usage.answers:,}" if item.usage else "0"
    if item.info is None:
        return ModelView(item.name, "", "", "–", answers, "not offered now", "leaving")
    badge, look = ("default", "") if item.is_default else ("", "")
    if not item.info.is_allowed:
        badge, look = "not allowed", "suspended"
    context = f"{item.info.context_tokens:,} tokens" if item.info.context_tokens else "–"
    return ModelView(item.name, item.info.detail, item.info.host, context, answers, badge, look)
