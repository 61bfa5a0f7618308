"""The list that `/` opens in the composer, and the text that the chosen prompt makes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import Any

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.ids import require_id
from rxchat.domain.prompt_variables import variables_in
from rxchat.services.app import container
from rxchat.services.chat.prompts import PromptChoice
from rxchat.states.chat.prompt_views import OpenedPrompt, variable_views
from rxchat.states.platform.auth_guard import requires_user
from rxchat.states.platform.dialogs import DialogState, show_problem, text_in
from rxchat.states.platform.field_views import field_view

_CHOICES = 50
_WORDS = 60
_CREATE = {"id": "", "command": "", "title": "Create a prompt", "has_variables": False, "is_own": True}
_choice_view = field_view(PromptChoice)
_guarded = partial(requires_user, refuse=show_problem)


@dataclass
class InsertedText:
    """A text for the composer; each has a larger number than the one before."""

    number: int
    text: str


class PromptPicksState(DialogState, rx.State):
    """The prompts that match what is typed behind `/`, and the dialog for the variables of the chosen one."""

    choices: list[dict[str, Any]] = []
    """In an empty library the offer to create a prompt, which has no ID."""
    searched: str = ""
    asked: OpenedPrompt = OpenedPrompt()
    """The prompt whose variables the dialog asks for."""
    inserted: InsertedText = InsertedText(0, "")

    @rx.event
    @requires_user
    async def find(self, current_user: CurrentUser, words: str) -> None:
        """Show the prompts whose commands or titles contain the words."""
        words = words[:_WORDS]
        found = await container.get_services().chat.prompts.search(current_user, words, _CHOICES)
        self.choices = [_choice_view(item) for item in found] or ([] if words.strip() else [_CREATE])
        self.searched = words

    @rx.event
    @requires_user
    async def choose(self, current_user: CurrentUser, prompt_id: str) -> None:
        """Insert the text of a prompt without variables."""
        text = await container.get_services().chat.prompts.filled(current_user, require_id(prompt_id), {})
        self._insert(text)

    @rx.event
    @_guarded
    async def ask(self, current_user: CurrentUser, form: dict) -> None:
        """Show the variables of a prompt in the dialog that asks for them."""
        found = await container.get_services().chat.prompts.get(current_user, require_id(text_in(form, "id")))
        self.asked = OpenedPrompt(
            dialog=text_in(form, "dialog"),
            id=str(found.id),
            title=found.content.title,
            variables=variable_views(variables_in(found.content.text)),
        )

    @rx.event
    @_guarded
    async def fill(self, current_user: CurrentUser, form: dict) -> None:
        """Insert the text of a prompt with these values."""
        prompts, prompt_id = container.get_services().chat.prompts, require_id(text_in(form, "id"))
        found = await prompts.get(current_user, prompt_id)
        fields = variable_views(variables_in(found.content.text))
        # A prompt that was changed since the dialog opened may have other variables: their names come with the values.
        given = {text_in(form, f"name-{item.field}"): text_in(form, item.field) for item in fields}
        text = await prompts.filled(current_user, prompt_id, {name: value for name, value in given.items() if name})
        self._insert(text)
        self._done(form)

    def _insert(self, text: str) -> None:
        self.inserted = InsertedText(max(time.time_ns() // 1_000_000, self.inserted.number + 1), text)
