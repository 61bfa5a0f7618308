"""The dialogs about tags: those of conversations, and all of a user's."""

from __future__ import annotations

from functools import partial
from uuid import UUID

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.bulk_actions import MOST_AT_ONCE
from rxchat.domain.errors import InvalidInput
from rxchat.domain.ids import require_id
from rxchat.domain.tags import TagColor
from rxchat.services.app import container
from rxchat.services.chat.tags import Tags
from rxchat.states.chat.sidebar import SidebarState
from rxchat.states.platform.auth_guard import requires_user
from rxchat.states.platform.changes import set_changed
from rxchat.states.platform.dialogs import DialogState, dialog_number, ids_in, show_problem, text_in

_guarded = partial(requires_user, refuse=show_problem)


class TagsState(DialogState, rx.State):
    """Which tags the conversations of the open dialog have."""

    opened: int = 0
    """The number of the dialog that the rest belongs to."""
    on_all: list[str] = []
    """The IDs of the tags that all of its conversations have."""
    on_some: list[str] = []
    """Those that some of them have, and others do not."""

    @rx.event
    @_guarded
    async def show(self, current_user: CurrentUser, form: dict) -> None:
        """Show which tags the conversations with the form's `ids` have."""
        ids = ids_in(form, "ids", MOST_AT_ONCE)
        self._done()
        await self._show(current_user, ids)
        self.opened = dialog_number(form)

    async def _show(self, current_user: CurrentUser, ids: list[UUID]) -> None:
        counts = await _tags().counts(current_user, ids)
        set_changed(
            self,
            on_all=[str(tag_id) for tag_id, count in counts.items() if count == len(ids)],
            on_some=[str(tag_id) for tag_id, count in counts.items() if count < len(ids)],
        )

    async def _refresh(self, current_user: CurrentUser) -> None:
        await (await self.get_state(SidebarState))._refresh(current_user)

    @rx.event
    @_guarded
    async def switch(self, current_user: CurrentUser, form: dict) -> None:
        """Add the tag with the form's `tag` to the conversations with its `ids`, or remove it from all if all have it."""
        ids, tag = ids_in(form, "ids", MOST_AT_ONCE), text_in(form, "tag")
        await _tags().set(current_user, ids, require_id(tag), is_set=tag not in self.on_all)
        await self._confirm(current_user, ids)

    @rx.event
    @_guarded
    async def add(self, current_user: CurrentUser, form: dict) -> None:
        """Add the tag with the form's `name` to the conversations with its `ids`; a new one, if it is not there."""
        ids = ids_in(form, "ids", MOST_AT_ONCE)
        await _tags().add(current_user, ids, text_in(form, "name"))
        await self._confirm(current_user, ids)

    async def _confirm(self, current_user: CurrentUser, ids: list[UUID]) -> None:
        await self._show(current_user, ids)
        await self._refresh(current_user)
        self._done()

    @rx.event
    @_guarded
    async def save(self, current_user: CurrentUser, form: dict) -> None:
        """Change the name and the color of the tag with the form's `id`."""
        color = text_in(form, "color")
        if color not in list(TagColor):
            raise InvalidInput("Choose one of the colors.", field="color")
        await _tags().change(
            current_user, require_id(text_in(form, "id")), name=text_in(form, "name"), color=TagColor(color)
        )
        await self._refresh(current_user)
        self._done(form)

    @rx.event
    @_guarded
    async def delete(self, current_user: CurrentUser, form: dict) -> None:
        """Delete the tag with the form's `id`."""
        await _tags().delete(current_user, require_id(text_in(form, "id")))
        await self._refresh(current_user)
        self._done(form)


def _tags() -> Tags:
    return container.get_services().chat.organizing.tags
