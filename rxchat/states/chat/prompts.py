"""The page of prompts: the library, the editor, versions and sharing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.errors import Conflict, InvalidInput
from rxchat.domain.ids import require_id
from rxchat.domain.prompt_examples import EXAMPLES
from rxchat.domain.prompt_variables import variables_in
from rxchat.domain.prompts import TEXT_CHARACTERS, Prompt
from rxchat.services.app import container
from rxchat.states.chat.prompt_views import (
    DeletedPromptView,
    OpenedPrompt,
    PieceView,
    PromptView,
    VariableView,
    deleted_view,
    matches,
    piece_views,
    prompt_view,
    share_view,
    variable_views,
    version_view,
)
from rxchat.states.platform.auth_guard import requires_user, requires_user_in_background
from rxchat.states.platform.changes import set_changed
from rxchat.states.platform.dialogs import show_problem, text_in
from rxchat.states.platform.library_page import LibraryPage, number_in
from rxchat.states.platform.request_context import client_info_of

_guarded = partial(requires_user, refuse=show_problem)


@dataclass(frozen=True)
class _Found:
    """The values of the page."""

    prompts: list[PromptView]
    deleted: list[DeletedPromptView]


class PromptsState(LibraryPage, rx.State):
    """The user's prompts, and the one that the open dialog is about."""

    prompts: list[PromptView] = []
    """Those that match the words of the search."""
    deleted: list[DeletedPromptView] = []
    opened: OpenedPrompt = OpenedPrompt()
    pieces: list[PieceView] = []
    """The text in the editor, as far as it was typed a moment ago, with its variables."""
    variables: list[VariableView] = []
    newest: int = 0
    """The newest version, if another one was saved while this one was edited."""
    theirs: str = ""
    """The text of that version."""
    _all: list[PromptView] = []

    @rx.event
    @_guarded
    async def load(self, current_user: CurrentUser) -> Any:
        """Show the library."""
        await self._load(current_user, container.get_services().chat.prompt_shares)
        return PromptsState.follow

    async def _found(self, current_user: CurrentUser) -> _Found:
        prompts = container.get_services().chat.prompts
        return _Found(
            [prompt_view(item, current_user) for item in await prompts.library(current_user)],
            [deleted_view(item) for item in await prompts.deleted(current_user)],
        )

    def _show_found(self, found: _Found) -> None:
        self._all = found.prompts
        set_changed(self, deleted=found.deleted, count=len(found.prompts))
        self._show_matching()

    def _show_matching(self) -> None:
        set_changed(self, prompts=[item for item in self._all if matches(item, self.words)])

    @rx.event(background=True, supersedes=True)
    @requires_user_in_background
    async def follow(self, current_user: CurrentUser) -> None:
        """Keep the page up to date while it is open."""
        await self._stay_up_to_date(current_user, container.get_services().platform.prompt_feed, "/prompts")

    @rx.event
    @_guarded
    async def search(self, current_user: CurrentUser, words: str) -> None:
        """Show only the prompts that contain these words."""
        del current_user
        self._search(words)
        self._show_matching()

    @rx.event
    @_guarded
    async def dismiss(self, current_user: CurrentUser) -> None:
        """Hide the toast."""
        del current_user
        self._dismiss()

    @rx.event
    @_guarded
    async def open(self, current_user: CurrentUser, form: dict) -> None:
        """Show a prompt in the dialog that asks for it; without an id, an empty one."""
        self.newest, self.theirs = 0, ""
        if not text_in(form, "id"):
            self.opened = OpenedPrompt(dialog=text_in(form, "dialog"))
        else:
            found = await container.get_services().chat.prompts.get(current_user, _id(form))
            self.opened = _opened(found, current_user, form)
        self._preview(self.opened.text)

    @rx.event
    @partial(_guarded, longest=TEXT_CHARACTERS)
    async def preview(self, current_user: CurrentUser, text: str) -> None:
        """Show the variables of the text in the editor."""
        del current_user
        self._preview(text)

    def _preview(self, text: str) -> None:
        set_changed(self, pieces=piece_views(text), variables=variable_views(variables_in(text)))

    @rx.event
    @partial(_guarded, longest=TEXT_CHARACTERS)
    async def save(self, current_user: CurrentUser, form: dict) -> None:
        """Create a prompt, or change the one whose id the form has; another one's newer version is shown beside it."""
        prompts = container.get_services().chat.prompts
        said = {name: text_in(form, name) for name in ("title", "command", "text", "description")}
        if not text_in(form, "id"):
            await prompts.create(current_user, **said)
            await self._confirm(current_user, "Saved.", form)
            return
        try:
            await prompts.change(
                current_user, _id(form), number_in(form, "version"), **said, client_info=client_info_of(self)
            )
        except Conflict:
            found = await prompts.get(current_user, _id(form))
            if found.version != number_in(form, "version"):
                self.newest, self.theirs = found.version, found.content.text
            raise
        await self._confirm(current_user, "Saved.", form)

    @rx.event
    @_guarded
    async def add_example(self, current_user: CurrentUser, number: str) -> None:
        """Add one of the examples to the library."""
        found = next((item for at, item in enumerate(EXAMPLES) if str(at) == number), None)
        if found is None:
            raise InvalidInput("This example does not exist.")
        await container.get_services().chat.prompts.create(
            current_user, title=found.title, command=found.command, text=found.text, description=found.description
        )
        await self._confirm(current_user, f"“{found.title}” was added. Type /{found.command} in a chat to use it.")

    @rx.event
    @_guarded
    async def duplicate(self, current_user: CurrentUser, prompt_id: str) -> None:
        """Copy a prompt into the user's own library."""
        prompts = container.get_services().chat.prompts
        copied = await prompts.get(current_user, await prompts.duplicate(current_user, require_id(prompt_id)))
        await self._confirm(current_user, f"The copy is “/{copied.content.command}”.")

    @rx.event
    @_guarded
    async def remove(self, current_user: CurrentUser, prompt_id: str) -> None:
        """Delete a prompt, and offer to restore it."""
        title = next((f"“{item.title}”" for item in self._all if item.id == prompt_id), "The prompt")
        await container.get_services().chat.prompts.remove(current_user, require_id(prompt_id))
        await self._confirm(current_user, f"{title} was deleted.")
        self.removed = prompt_id

    @rx.event
    @_guarded
    async def restore(self, current_user: CurrentUser, prompt_id: str) -> None:
        """Restore a deleted prompt."""
        command = await container.get_services().chat.prompts.restore(current_user, require_id(prompt_id))
        await self._confirm(current_user, f"“/{command}” was restored.")

    @rx.event
    @_guarded
    async def delete_for_good(self, current_user: CurrentUser, form: dict) -> None:
        """Delete a deleted prompt permanently."""
        await container.get_services().chat.prompts.delete_for_good(current_user, _id(form))
        await self._confirm(current_user, "The prompt was deleted permanently.", form)

    @rx.event
    @_guarded
    async def open_versions(self, current_user: CurrentUser, form: dict) -> None:
        """Show the versions of a prompt."""
        await self._open_versions(current_user, form)

    async def _open_versions(self, current_user: CurrentUser, form: dict[str, Any]) -> None:
        prompts = container.get_services().chat.prompts
        found = _opened(await prompts.get(current_user, _id(form)), current_user, form)
        found.versions = [version_view(item) for item in await prompts.versions(current_user, _id(form))]
        self.opened = found

    @rx.event
    @_guarded
    async def restore_version(self, current_user: CurrentUser, form: dict) -> None:
        """Make an earlier version the newest one; the dialog stays open."""
        try:
            await container.get_services().chat.prompts.restore_version(
                current_user, _id(form), number_in(form, "number"), number_in(form, "version"), client_info_of(self)
            )
        except Conflict:
            await self._open_versions(current_user, form)
            raise
        await self._open_versions(current_user, form)
        await self._confirm(current_user, f"Version {number_in(form, 'number')} was restored.")

    @rx.event
    @_guarded
    async def open_shares(self, current_user: CurrentUser, form: dict) -> None:
        """Show with whom a prompt is shared."""
        await self._open_shares(current_user, form)

    async def _open_shares(self, current_user: CurrentUser, form: dict[str, Any]) -> None:
        services = container.get_services().chat
        found = _opened(await services.prompts.get(current_user, _id(form)), current_user, form)
        found.shares = [share_view(item) for item in await services.prompt_shares.of(current_user, _id(form))]
        self.opened = found

    @rx.event
    @_guarded
    async def share(self, current_user: CurrentUser, form: dict) -> None:
        """Share a prompt; the dialog stays open."""
        await container.get_services().chat.prompt_shares.add(
            current_user,
            _id(form),
            text_in(form, "kind"),
            text_in(form, "principal"),
            may_write=text_in(form, "action") == "write",
            client_info=client_info_of(self),
        )
        await self._open_shares(current_user, form)
        await self._confirm(current_user, "")

    @rx.event
    @_guarded
    async def unshare(self, current_user: CurrentUser, form: dict) -> None:
        """Revoke a share of a prompt; the dialog stays open."""
        await container.get_services().chat.prompt_shares.remove(
            current_user, _id(form), require_id(text_in(form, "share")), client_info_of(self)
        )
        await self._open_shares(current_user, form)
        await self._confirm(current_user, "")


def _opened(found: Prompt, current_user: CurrentUser, form: dict[str, Any]) -> OpenedPrompt:
    said = found.content
    return OpenedPrompt(
        text_in(form, "dialog"), str(found.id), said.title, said.command, said.text, said.description, found.version,
        found.owner_id == current_user.user_id, found.may_write,
    )  # fmt: skip


def _id(form: dict[str, Any]) -> UUID:
    return require_id(text_in(form, "id"))
