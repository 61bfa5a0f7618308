"""The dialog “Parameters”: how the answers of the conversation on screen are to be, or of the one that the page begins."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.ids import parse_id
from rxchat.domain.model_parameters import Configuration, Effort
from rxchat.services.app import container
from rxchat.states.chat.model_picker import ModelPickerState
from rxchat.states.platform.auth_guard import requires_user
from rxchat.states.platform.changes import set_changed
from rxchat.states.platform.configuration_forms import PARAMETER_NAMES, ConfigurationForm, form_of
from rxchat.states.platform.dialogs import DialogState, dialog_number, show_problem, text_in

_guarded = partial(requires_user, refuse=show_problem)


class ConfigurationState(DialogState, rx.State):
    """What is set for the conversation on screen. For a new one, it is kept here until the first message."""

    opened: int = 0
    """The number of the dialog that the form belongs to."""
    form: ConfigurationForm = ConfigurationForm()
    takes: list[str] = []
    """The names of the parameters that the chosen model takes."""
    efforts: list[str] = []
    """The values of `reasoning_effort` that it takes."""
    is_set: bool = False
    """Whether something is set."""
    _of: str = ""
    _system_prompt: str = ""
    _parameters: dict[str, Any] = {}

    def _show(self, conversation_id: str, found: Configuration) -> None:
        """Show what is set for the conversation on screen."""
        self._of, self._system_prompt, self._parameters = conversation_id, found.system_prompt, dict(found.parameters)
        set_changed(self, is_set=not found.is_empty)

    def _for_new(self) -> Configuration:
        """Return what is set on the page for a new conversation."""
        return Configuration(self._system_prompt, self._parameters)

    def _show_new(self) -> None:
        """Show the page for a new conversation; what was set on it already stays."""
        if self._of:
            self._show("", Configuration())

    @rx.event
    @_guarded
    async def show(self, current_user: CurrentUser, form: dict) -> None:
        """Fill the form of the dialog with this number."""
        self._done()
        found, conversation_id = self._for_new(), self._conversation()
        configurations = container.get_services().chat.configurations
        if conversation_id is not None:
            found = (await configurations.of(current_user, conversation_id)).configuration
        model = (await self.get_state(ModelPickerState)).model
        support = await configurations.support(current_user, model)
        self.form = form_of(found)
        set_changed(
            self,
            takes=[name for name in PARAMETER_NAMES if name in support.names],
            efforts=[item.value for item in Effort if item in support.efforts],
        )
        self.opened = dialog_number(form)

    @rx.event
    @_guarded
    async def save(self, current_user: CurrentUser, form: dict) -> None:
        """Set them, for the conversation on screen or the one that begins on the page."""
        await self._set(
            current_user, text_in(form, "system_prompt"), {name: text_in(form, name) for name in PARAMETER_NAMES}
        )
        self._done(form)

    @rx.event
    @_guarded
    async def reset_all(self, current_user: CurrentUser, form: dict) -> None:
        """Leave everything to the model again."""
        await self._set(current_user, "", {})
        self._done(form)

    async def _set(self, current_user: CurrentUser, system_prompt: str, parameters: Mapping[str, Any]) -> None:
        model, conversation_id = (await self.get_state(ModelPickerState)).model, self._conversation()
        configurations = container.get_services().chat.configurations
        if conversation_id is None:
            self._show("", await configurations.valid(current_user, model, system_prompt, parameters))
            return
        changed = await configurations.change(current_user, conversation_id, system_prompt, parameters, model=model)
        self._show(str(conversation_id), changed.configuration)

    def _conversation(self) -> UUID | None:
        # A new process knows only the address before the page has loaded again.
        return parse_id(self._of or self.router_data.get("query", {}).get("conversation_id", ""))
