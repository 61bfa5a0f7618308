"""The page of archived and deleted conversations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from math import ceil
from typing import Any

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.bulk_actions import MOST_AT_ONCE, BulkAction
from rxchat.domain.conversations import ConversationList, ConversationSummary
from rxchat.domain.errors import InvalidInput
from rxchat.domain.ids import require_id
from rxchat.services.app import container
from rxchat.services.chat.conversation_trash import KEPT
from rxchat.states.chat.sidebar import SidebarState
from rxchat.states.platform.auth_guard import requires_user
from rxchat.states.platform.changes import set_changed
from rxchat.states.platform.dialogs import DialogState, ids_in, show_problem, text_in
from rxchat.states.platform.field_views import milliseconds

_PAGE = 50
IDS_CHARACTERS = 37 * MOST_AT_ONCE
"""How long the text with the IDs of conversations is at most."""
_DONE = {
    BulkAction.UNARCHIVE: "moved back to the list",
    BulkAction.REMOVE: "moved to the trash",
    BulkAction.RESTORE: "restored",
}

_ACTIONS: dict[str, BulkAction] = {action.value: action for action in _DONE}


@dataclass
class ArchivedView:
    """A conversation of the archive or the trash."""

    id: str
    title: str
    at: int
    """When it was archived or deleted, in milliseconds since 1970."""
    left: str = ""
    """How long it can still be restored."""


_guarded = partial(requires_user, refuse=show_problem)


class ArchiveState(DialogState, rx.State):
    """The user's archived and deleted conversations, as many of each as are shown."""

    archived: list[ArchivedView] = []
    deleted: list[ArchivedView] = []
    has_more_archived: bool = False
    has_more_deleted: bool = False
    loaded: bool = False
    flash: str = ""
    """What was just done, in words."""
    flashes: int = 0
    """How often something was done, by which the same words are shown again."""
    _most_archived: int = _PAGE
    _most_deleted: int = _PAGE

    @rx.event
    @_guarded
    async def load(self, current_user: CurrentUser) -> None:
        """Show both lists from their beginnings."""
        self._most_archived = self._most_deleted = _PAGE
        self.flash = ""
        self._done()
        await self._show(current_user)

    async def _show(self, current_user: CurrentUser) -> None:
        conversations, now = container.get_services().chat.conversations, datetime.now(UTC)
        archived = await conversations.page(current_user, ConversationList.ARCHIVED, limit=self._most_archived + 1)
        deleted = await conversations.page(current_user, ConversationList.DELETED, limit=self._most_deleted + 1)
        set_changed(
            self,
            archived=[_view(item, item.archived_at) for item in archived[: self._most_archived]],
            deleted=[_view(item, item.deleted_at, now) for item in deleted[: self._most_deleted]],
            has_more_archived=len(archived) > self._most_archived,
            has_more_deleted=len(deleted) > self._most_deleted,
            loaded=True,
        )

    async def _confirm(self, current_user: CurrentUser, flash: str, form: dict[str, Any] | None = None) -> None:
        await self._show(current_user)
        await (await self.get_state(SidebarState))._refresh(current_user)
        self.flash, self.flashes = flash, self.flashes + 1
        self._done(form)

    def _title(self, conversation_id: str) -> str:
        rows = [*self.archived, *self.deleted]
        return next((f"“{row.title}”" for row in rows if row.id == conversation_id), "The conversation")

    @rx.event
    @_guarded
    async def refresh(self, current_user: CurrentUser) -> None:
        """Show the current lists, if they are shown: the sidebar has changed them."""
        if self.loaded:
            await self._show(current_user)

    @rx.event
    @_guarded
    async def more_archived(self, current_user: CurrentUser) -> None:
        """Show more of the archive."""
        self._most_archived = len(self.archived) + _PAGE
        await self._show(current_user)

    @rx.event
    @_guarded
    async def more_deleted(self, current_user: CurrentUser) -> None:
        """Show more of the trash."""
        self._most_deleted = len(self.deleted) + _PAGE
        await self._show(current_user)

    @rx.event
    @_guarded
    async def unarchive(self, current_user: CurrentUser, conversation_id: str) -> None:
        """Move a conversation back to the list."""
        await container.get_services().chat.conversations.archive(
            current_user, require_id(conversation_id), is_archived=False
        )
        await self._confirm(current_user, f"{self._title(conversation_id)} is in the list again.")

    @rx.event
    @_guarded
    async def remove(self, current_user: CurrentUser, conversation_id: str) -> None:
        """Delete an archived conversation."""
        await container.get_services().chat.conversations.remove(current_user, require_id(conversation_id))
        await self._confirm(current_user, f"{self._title(conversation_id)} was moved to the trash.")

    @rx.event
    @_guarded
    async def restore(self, current_user: CurrentUser, conversation_id: str) -> None:
        """Restore a deleted conversation."""
        await container.get_services().chat.conversations.restore(current_user, require_id(conversation_id))
        await self._confirm(current_user, f"{self._title(conversation_id)} was restored.")

    @rx.event
    @_guarded
    async def change_all(self, current_user: CurrentUser, form: dict) -> None:
        """Do the form's `action` with the conversations whose `ids` it has."""
        action = _ACTIONS.get(text_in(form, "action"))
        if action is None:
            raise InvalidInput("This action does not exist. Reload the page.")
        ids = ids_in(form, "ids", MOST_AT_ONCE)
        # Another tab may have changed some of them meanwhile.
        changed = await container.get_services().chat.organizing.bulk_actions.change(current_user, ids, action)
        await self._confirm(current_user, f"{_counted(len(changed))} {_DONE[action]}.")

    @rx.event
    @partial(requires_user, refuse=show_problem, longest=IDS_CHARACTERS)
    async def delete_all_for_good(self, current_user: CurrentUser, form: dict) -> None:
        """Delete conversations of the trash permanently (`ids`, separated by commas)."""
        ids = [require_id(name) for name in text_in(form, "ids").split(",")[:MOST_AT_ONCE]]
        count = await container.get_services().chat.conversation_trash.delete_for_good(current_user, ids)
        await self._confirm(current_user, f"{_counted(count)} deleted permanently.", form)

    @rx.event
    @_guarded
    async def delete_for_good(self, current_user: CurrentUser, form: dict) -> None:
        """Delete a conversation of the trash permanently."""
        await container.get_services().chat.conversation_trash.delete_for_good(
            current_user, [require_id(text_in(form, "id"))]
        )
        words = f"{self._title(text_in(form, 'id'))} was deleted permanently."
        await self._confirm(current_user, words, form)

    @rx.event
    @_guarded
    async def empty_trash(self, current_user: CurrentUser, form: dict) -> None:
        """Delete everything in the trash permanently."""
        count = await container.get_services().chat.conversation_trash.empty(current_user)
        await self._confirm(current_user, f"{_counted(count)} deleted permanently.", form)

    @rx.event
    @_guarded
    async def dismiss(self, current_user: CurrentUser) -> None:
        """Hide what was just done."""
        del current_user
        self.flash = ""


def _counted(count: int) -> str:
    return "1 conversation was" if count == 1 else f"{count:,} conversations were"


def _view(item: ConversationSummary, moment: datetime | None, now: datetime | None = None) -> ArchivedView:
    at = moment or item.updated_at
    days = max(1, ceil((at + KEPT - now) / timedelta(days=1))) if now else 0
    left = f"{days} day{'s' if days > 1 else ''} left" if days else ""
    return ArchivedView(str(item.id), item.title, milliseconds(at), left)
