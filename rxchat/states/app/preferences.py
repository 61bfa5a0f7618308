"""The user's preferences, as their page shows them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.permissions import Action, ResourceKind
from rxchat.services.app import container
from rxchat.states.platform.auth_guard import requires_user
from rxchat.states.platform.dialogs import DialogState, show_problem, text_in

INSTRUCTIONS_FORM = 1
"""The number by which the form for the instructions recognizes its answer."""


@dataclass
class ModelOption:
    """A model in a list of choices."""

    name: str
    title: str


class PreferencesState(DialogState, rx.State):
    """The preferences that apply in all of the user's browsers."""

    ready: bool = False
    instructions: str = ""
    default_model: str = ""
    models: list[ModelOption] = []
    """The models that the user may choose; a default that is not available now, too."""

    @rx.event
    @partial(requires_user, refuse=show_problem)
    async def open(self, current_user: CurrentUser) -> None:
        """Show the current preferences."""
        services = container.get_services()
        found = await services.app.preferences.get(current_user)
        offer = await services.models.catalog.offer()
        names = [item.name for item in offer.known]
        usable = await services.access.grants.usable(current_user, ResourceKind.MODEL, Action.USE, names)
        self.instructions, self.default_model = found.custom_instructions, found.default_model
        listed = [item for item in offer.known if not item.is_hidden or item.name == found.default_model]
        self.models = [ModelOption(item.name, item.title) for item in listed if item.name in usable]
        if found.default_model and found.default_model not in usable:
            self.models.append(ModelOption(found.default_model, found.default_model))
        self.done_dialog = 0
        self._done()
        self.ready = True

    @rx.event
    @partial(requires_user, refuse=show_problem)
    async def save_instructions(self, current_user: CurrentUser, form: dict) -> None:
        """Store the custom instructions."""
        self.instructions = await container.get_services().app.preferences.set_instructions(
            current_user, text_in(form, "custom_instructions")
        )
        self._done(form)

    @rx.event
    @partial(requires_user, refuse=show_problem)
    async def choose_default_model(self, current_user: CurrentUser, name: str) -> None:
        """Store the model of new conversations; "" for the instance's default."""
        await container.get_services().app.preferences.set_default_model(current_user, name)
        self.default_model = name
        self._done()
