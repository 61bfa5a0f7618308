"""The page of assistants: the list, the editor, versions and sharing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.api_errors import VersionMismatch
from rxchat.domain.assistants import AssistantContent
from rxchat.domain.ids import require_id
from rxchat.domain.model_parameters import PARAMETERS
from rxchat.services.app import container
from rxchat.states.chat.assistant_views import (
    AssistantView,
    DeletedAssistantView,
    OpenedAssistant,
    assistant_view,
    deleted_view,
    matches,
    opened_view,
    version_view,
)
from rxchat.states.chat.projects import CollectionChoice
from rxchat.states.chat.prompt_views import share_view
from rxchat.states.platform.auth_guard import requires_user, requires_user_in_background
from rxchat.states.platform.changes import set_changed
from rxchat.states.platform.dialogs import show_problem, text_in
from rxchat.states.platform.library_page import LibraryPage, number_in
from rxchat.states.platform.request_context import client_info_of

_COLLECTION = "collection-"
"""How the names of the form's boxes begin; the ID follows."""
_SHOWN = ("all", "mine", "shared")

_guarded = partial(requires_user, refuse=show_problem)


@dataclass(frozen=True)
class _Found:
    """The values of the page."""

    assistants: list[AssistantView]
    deleted: list[DeletedAssistantView]


class AssistantsState(LibraryPage, rx.State):
    """The assistants that the user may use, and the one that the open dialog is about."""

    assistants: list[AssistantView] = []
    """Those that match the words of the search."""
    shown: str = "all"
    """Which are shown: all, mine or shared."""
    deleted: list[DeletedAssistantView] = []
    opened: OpenedAssistant = OpenedAssistant()
    newest: int = 0
    """The newest version, if another one was saved while this one was edited."""
    collections: list[CollectionChoice] = []
    """Those that an assistant may have."""
    _all: list[AssistantView] = []

    @rx.event
    @_guarded
    async def load(self, current_user: CurrentUser) -> Any:
        """Show the list."""
        self.shown = "all"
        await self._load(current_user, container.get_services().chat.assistant_shares)
        return AssistantsState.follow

    async def _found(self, current_user: CurrentUser) -> _Found:
        assistants = container.get_services().chat.assistants
        return _Found(
            [assistant_view(item, current_user) for item in await assistants.readable(current_user)],
            [deleted_view(item) for item in await assistants.deleted(current_user)],
        )

    def _show_found(self, found: _Found) -> None:
        self._all = found.assistants
        set_changed(self, deleted=found.deleted, count=len(found.assistants))
        self._show_matching()

    def _show_matching(self) -> None:
        set_changed(self, assistants=[item for item in self._all if matches(item, self.words, self.shown)])

    @rx.event(background=True, supersedes=True)
    @requires_user_in_background
    async def follow(self, current_user: CurrentUser) -> None:
        """Keep the page up to date while it is open."""
        await self._stay_up_to_date(current_user, container.get_services().platform.assistant_feed, "/assistants")

    @rx.event
    @_guarded
    async def search(self, current_user: CurrentUser, words: str) -> None:
        """Show only the assistants that contain these words."""
        del current_user
        self._search(words)
        self._show_matching()

    @rx.event
    @_guarded
    async def filter_by(self, current_user: CurrentUser, shown: str) -> None:
        """Show all, only the user's own, or only those of others."""
        del current_user
        self.shown = shown if shown in _SHOWN else "all"
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
        """Show an assistant in the dialog that asks for it; without an id, an empty one."""
        self.newest = 0
        readable = await container.get_services().documents.collections.readable(current_user)
        set_changed(self, collections=[CollectionChoice(str(item.id), item.name) for item in readable])
        dialog = text_in(form, "dialog")
        if not text_in(form, "id"):
            self.opened = OpenedAssistant(dialog=dialog)
        else:
            found = await container.get_services().chat.assistants.get(current_user, _id(form))
            self.opened = opened_view(found, dialog)

    @rx.event
    @_guarded
    async def save(self, current_user: CurrentUser, form: dict) -> None:
        """Create an assistant, or change the one whose id the form has."""
        assistants = container.get_services().chat.assistants
        if not text_in(form, "id"):
            await assistants.create(current_user, _content(form, ()))
            await self._confirm(current_user, "Saved.", form)
            return
        before = await assistants.get(current_user, _id(form))
        # Collections that the user may not read are no boxes of the form, and stay.
        readable = {item.id for item in await container.get_services().documents.collections.readable(current_user)}
        kept = tuple(found for found in before.content.collection_ids if found not in readable)
        try:
            await assistants.change(
                current_user, before.id, _content(form, kept), client_info_of(self), version=number_in(form, "version")
            )
        except VersionMismatch:
            self.newest = before.version
            raise
        await self._confirm(current_user, "Saved. Conversations keep the version that they began with.", form)

    @rx.event
    @_guarded
    async def duplicate(self, current_user: CurrentUser, assistant_id: str) -> None:
        """Copy an assistant into the user's own."""
        assistants = container.get_services().chat.assistants
        copied = await assistants.get(current_user, await assistants.duplicate(current_user, require_id(assistant_id)))
        await self._confirm(current_user, f"“{copied.content.name}” was copied. The copy is yours.")

    @rx.event
    @_guarded
    async def remove(self, current_user: CurrentUser, assistant_id: str) -> None:
        """Delete an assistant, and offer to restore it."""
        name = next((f"“{item.name}”" for item in self._all if item.id == assistant_id), "The assistant")
        await container.get_services().chat.assistants.remove(current_user, require_id(assistant_id))
        await self._confirm(current_user, f"{name} was deleted. Its conversations keep what they have.")
        self.removed = assistant_id

    @rx.event
    @_guarded
    async def restore(self, current_user: CurrentUser, assistant_id: str) -> None:
        """Restore a deleted assistant."""
        name = await container.get_services().chat.assistants.restore(current_user, require_id(assistant_id))
        await self._confirm(current_user, f"“{name}” was restored.")

    @rx.event
    @_guarded
    async def delete_for_good(self, current_user: CurrentUser, form: dict) -> None:
        """Delete a deleted assistant permanently."""
        await container.get_services().chat.assistants.delete_for_good(current_user, _id(form))
        await self._confirm(current_user, "The assistant was deleted permanently.", form)

    @rx.event
    @_guarded
    async def open_versions(self, current_user: CurrentUser, form: dict) -> None:
        """Show the versions of an assistant."""
        await self._open_versions(current_user, form)

    async def _open_versions(self, current_user: CurrentUser, form: dict[str, Any]) -> None:
        assistants = container.get_services().chat.assistants
        found = opened_view(await assistants.get(current_user, _id(form)), text_in(form, "dialog"))
        found.versions = [version_view(item) for item in await assistants.versions(current_user, _id(form))]
        self.opened = found

    @rx.event
    @_guarded
    async def restore_version(self, current_user: CurrentUser, form: dict) -> None:
        """Make an earlier version the newest one; the dialog stays open."""
        try:
            await container.get_services().chat.assistants.restore_version(
                current_user, _id(form), number_in(form, "number"), number_in(form, "version"), client_info_of(self)
            )
        except VersionMismatch:
            await self._open_versions(current_user, form)
            raise
        await self._open_versions(current_user, form)
        await self._confirm(current_user, f"Version {number_in(form, 'number')} was restored.")

    @rx.event
    @_guarded
    async def open_shares(self, current_user: CurrentUser, form: dict) -> None:
        """Show with whom an assistant is shared."""
        await self._open_shares(current_user, form)

    async def _open_shares(self, current_user: CurrentUser, form: dict[str, Any]) -> None:
        services = container.get_services().chat
        found = opened_view(await services.assistants.get(current_user, _id(form)), text_in(form, "dialog"))
        found.shares = [share_view(item) for item in await services.assistant_shares.of(current_user, _id(form))]
        self.opened = found

    @rx.event
    @_guarded
    async def share(self, current_user: CurrentUser, form: dict) -> None:
        """Share an assistant; the dialog stays open."""
        await container.get_services().chat.assistant_shares.add(
            current_user,
            _id(form),
            text_in(form, "kind"),
            text_in(form, "principal"),
            client_info_of(self),
            may_write=text_in(form, "action") == "write",
        )
        await self._open_shares(current_user, form)
        await self._confirm(current_user, "")

    @rx.event
    @_guarded
    async def unshare(self, current_user: CurrentUser, form: dict) -> None:
        """Revoke a share of an assistant; the dialog stays open."""
        await container.get_services().chat.assistant_shares.remove(
            current_user, _id(form), require_id(text_in(form, "share")), client_info_of(self)
        )
        await self._open_shares(current_user, form)
        await self._confirm(current_user, "")


def _content(form: dict[str, Any], kept: tuple[UUID, ...]) -> AssistantContent:
    chosen = tuple(require_id(name.removeprefix(_COLLECTION)) for name in form if name.startswith(_COLLECTION))
    return AssistantContent(
        name=text_in(form, "name"),
        description=text_in(form, "description"),
        icon=text_in(form, "icon"),
        model=text_in(form, "model"),
        system_prompt=text_in(form, "system_prompt"),
        parameters={item.name: text_in(form, item.name) for item in PARAMETERS},
        may_use_tools=bool(form.get("may_use_tools")),
        collection_ids=(*kept, *chosen),
        starters=tuple(text_in(form, "starters").splitlines()),
    )


def _id(form: dict[str, Any]) -> UUID:
    return require_id(text_in(form, "id"))
