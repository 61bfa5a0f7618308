"""The models of one tab, and the chosen one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import sees_details
from rxchat.domain.chat import ModelInfo
from rxchat.domain.errors import InvalidInput
from rxchat.domain.permissions import Action, ResourceKind
from rxchat.domain.preferences import Preferences
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
    title: str
    """The name that users see."""
    detail: str
    description: str = ""
    words: str = ""
    """What the filter of the menu searches, in small letters."""
    is_demo: bool = False
    is_remote: bool = False
    sees: bool = False
    is_favorite: bool = False
    is_off: bool = False
    """Whether it cannot be chosen, because it runs outside of this network and no administrator has allowed it."""


class ModelPickerState(rx.State):
    """The models that the user may choose; apart from `ThreadState`, whose updates would redraw all of them."""

    models: list[ModelChoice] = []
    model: str = ""
    title: str = ""
    """The name of the chosen model that users see."""
    default: str = ""
    """The model that the user has chosen for new conversations; "" for the instance's default."""
    notice: str = ""
    is_demo: bool = False
    sees: bool = False
    """Whether the chosen model can see pictures."""
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

    @rx.event
    @requires_user
    async def set_favorite(self, current_user: CurrentUser, name: str, is_favorite: str) -> None:
        """Put a model among the user's favorites, which come first from the next page on, or remove it ("")."""
        preferences = container.get_services().app.preferences
        favorites = await preferences.set_favorite_model(current_user, name, is_favorite=bool(is_favorite))
        # The order stays as it is: what moves under the pointer is clicked by mistake.
        set_changed(self, models=[replace(item, is_favorite=item.name in favorites) for item in self.models])

    @rx.event
    @requires_user
    async def keep_as_default(self, current_user: CurrentUser) -> None:
        """Let the chosen model answer in the user's new conversations, too."""
        await container.get_services().app.preferences.set_default_model(current_user, self.model)
        self.default = self.model

    async def _show(self, current_user: CurrentUser, wanted: str) -> None:
        """Show the models on offer, and choose the wanted one, or what answers in its place."""
        offer: ModelList = await container.get_services().models.catalog.offer()
        names = [item.name for item in offer.known]
        usable = await container.get_services().access.grants.usable(
            current_user, ResourceKind.MODEL, Action.USE, names
        )
        preferences = await container.get_services().app.preferences.get(current_user)
        listed = [*offer.models, *(item for item in offer.hidden if item.name == wanted)]
        choices = [_choice(item, preferences.favorite_models) for item in listed if item.name in usable]
        choices.sort(key=lambda item: not item.is_favorite)
        off = [_choice(item, (), is_off=True) for item in offer.forbidden]
        set_changed(self, models=[*choices, *off], default=preferences.default_model)
        default = offer.default if offer.default in usable or not choices else choices[0].name
        # What was chosen for a new conversation holds until another one is opened.
        self._is_chosen = self._is_chosen and wanted in {"", self._wanted}
        wanted = wanted or await self._model_of_new(preferences)
        # What runs outside of this network takes over for nothing that ran here: only the user decides that.
        remote = {item.name for item in offer.models if item.remote_host}
        replacement = (
            default if default not in remote else next((item.name for item in choices if item.name not in remote), "")
        )
        self._choose(wanted or default, replacement if wanted else default)
        problem = f"{offer.problem} {offer.detail}".strip() if sees_details(current_user) else offer.problem
        set_changed(self, notice=problem or (_NO_MODEL if names and not choices else self._gone()))

    async def _model_of_new(self, preferences: Preferences) -> str:
        """Return the model of a new conversation: the one chosen for it, or its project's, the user's default, the last one shown."""
        if self._is_chosen:
            return self.model
        return (await self.get_state(SidebarState))._project_model or preferences.default_model or self.model

    async def _show_if_needed(self, current_user: CurrentUser) -> None:
        """Show the models again if the model host may have recovered meanwhile, or the chosen model was removed."""
        offer = await container.get_services().models.catalog.offer()
        if not self.model or self.notice or self.model not in {item.name for item in offer.known}:
            await self._show(current_user, self._wanted or self.model)

    def _gone(self) -> str:
        """Return a notice about a missing model and its replacement; "" if it is available."""
        if not self._wanted or not self.model:
            return ""
        if self._wanted == self.model:
            is_there = not self.models or any(item.name == self.model for item in self.models)
            return "" if is_there else f"The model {self.model} is not available now. {_OUTSIDE}"
        return f"The model {self._wanted} is no longer available. {self.title}{_ANSWERS}"

    def _choose(self, name: str, default: str) -> None:
        choices = {item.name: item for item in self.models if not item.is_off}
        # "llama3.2" is how users write llama3.2:latest.
        name = next((known for known in (name, f"{name}:latest") if known in choices), name)
        self._wanted = name
        model = name if name in choices or not choices or not default else default
        chosen = choices.get(model) or ModelChoice(model, model, "")
        set_changed(self, model=model, title=chosen.title, is_demo=chosen.is_demo, sees=chosen.sees)


def _choice(model: ModelInfo, favorites: Collection[str], *, is_off: bool = False) -> ModelChoice:
    detail = f"{model.detail}: off" if is_off else model.detail
    return ModelChoice(
        name=model.name,
        title=model.title,
        detail=detail,
        description=model.description,
        words=f"{model.name} {model.label} {detail} {model.description}".lower(),
        is_demo=model.is_demo and not is_off,
        is_remote=bool(model.remote_host),
        sees="vision" in model.capabilities,
        is_favorite=model.name in favorites,
        is_off=is_off,
    )
