"""The models of one tab, and the chosen one."""

from __future__ import annotations

from dataclasses import dataclass

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import sees_details
from rxchat.domain.errors import InvalidInput
from rxchat.domain.permissions import Action, ResourceKind
from rxchat.services.app import container
from rxchat.services.models.catalog import ModelList
from rxchat.states.chat.sidebar import SidebarState
from rxchat.states.platform.auth_guard import requires_user
from rxchat.states.platform.changes import set_changed

_ANSWERS = " will answer from here on."
_OUTSIDE = "The others run outside of your network: choose one if your conversation may go there."
_NO_MODEL = "You have access to no model yet. Ask an administrator for one."


@dataclass
class ModelChoice:
    """A model as the picker shows it."""

    name: str
    detail: str
    is_demo: bool
    is_off: bool = False
    """Whether it cannot be chosen, because it runs outside of this network and no administrator has allowed it."""


class ModelPickerState(rx.State):
    """The models that the user may choose; apart from `ThreadState`, whose updates would redraw all of them."""

    models: list[ModelChoice] = []
    model: str = ""
    notice: str = ""
    is_demo: bool = False
    _is_chosen: bool = False
    """Whether the user has chosen the model for the conversation that the tab shows, or will begin."""
    _wanted: str = ""
    """The chosen or the conversation's model, which may no longer exist."""

    @rx.event
    @requires_user
    async def choose(self, current_user: CurrentUser, name: str) -> None:
        """Choose the model for the following answers."""
        del current_user
        if name not in {item.name for item in self.models if not item.is_off}:
            raise InvalidInput("This model is no longer available.")
        self._choose(name, name)
        self._is_chosen = True
        if self.notice.endswith((_ANSWERS, _OUTSIDE)):
            self.notice = ""

    async def _show(self, current_user: CurrentUser, wanted: str) -> None:
        """Show the models on offer, and choose the wanted one, or what answers in its place."""
        offer: ModelList = await container.get_services().models.catalog.offer()
        names = [item.name for item in offer.models]
        usable = await container.get_services().access.grants.usable(
            current_user, ResourceKind.MODEL, Action.USE, names
        )
        choices = [ModelChoice(item.name, item.detail, item.is_demo) for item in offer.models if item.name in usable]
        off = [ModelChoice(item.name, f"{item.detail}: off", False, True) for item in offer.forbidden]
        set_changed(self, models=[*choices, *off])
        default = offer.default if offer.default in usable or not usable else choices[0].name
        # What was chosen for a new conversation holds until another one is opened.
        self._is_chosen = self._is_chosen and wanted in {"", self._wanted}
        wanted = wanted or await self._model_of_new(current_user)
        # What runs outside of this network takes over for nothing that ran here: only the user decides that.
        remote = {item.name for item in offer.models if item.remote_host}
        replacement = (
            default if default not in remote else next((item.name for item in choices if item.name not in remote), "")
        )
        self._choose(wanted or default, replacement if wanted else default)
        problem = f"{offer.problem} {offer.detail}".strip() if sees_details(current_user) else offer.problem
        set_changed(self, notice=problem or (_NO_MODEL if names and not choices else self._gone()))

    async def _model_of_new(self, current_user: CurrentUser) -> str:
        """Return the model of a new conversation: the one chosen for it, or its project's, the user's default, the last one shown."""
        if self._is_chosen:
            return self.model
        of_project = (await self.get_state(SidebarState))._project_model
        return (
            of_project or (await container.get_services().app.preferences.get(current_user)).default_model or self.model
        )

    async def _show_if_needed(self, current_user: CurrentUser) -> None:
        """Show the models again if the model host may have recovered meanwhile, or the chosen model was removed."""
        offer = await container.get_services().models.catalog.offer()
        if not self.model or self.notice or self.model not in {item.name for item in offer.models}:
            await self._show(current_user, self._wanted or self.model)

    def _gone(self) -> str:
        """Return a notice about a missing model and its replacement; "" if it is available."""
        if not self._wanted or not self.model:
            return ""
        if self._wanted == self.model:
            is_there = not self.models or any(item.name == self.model for item in self.models)
            return "" if is_there else f"The model {self.model} is not available now. {_OUTSIDE}"
        return f"The model {self._wanted} is no longer available. {self.model}{_ANSWERS}"

    def _choose(self, name: str, default: str) -> None:
        demo_of = {item.name: item.is_demo for item in self.models if not item.is_off}
        # "llama3.2" is how users write llama3.2:latest.
        name = next((known for known in (name, f"{name}:latest") if known in demo_of), name)
        self._wanted = name
        model = name if name in demo_of or not demo_of or not default else default
        set_changed(self, model=model, is_demo=demo_of.get(model, False))
