"""The list of conversations in the sidebar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.conversations import ConversationSummary, ListPosition
from rxchat.domain.errors import InvalidInput, RxChatError
from rxchat.domain.ids import parse_id
from rxchat.services.app import container
from rxchat.services.chat.conversations import PAGE_CONVERSATIONS
from rxchat.states.platform.auth_guard import requires_user
from rxchat.states.platform.changes import set_changed
from rxchat.states.platform.current_user import CurrentUserState, Navigation
from rxchat.states.platform.dialogs import dialog_number, text_in


@dataclass
class ConversationView:
    """A conversation as an item of the list."""

    id: str
    title: str


@dataclass
class Group:
    """A group of conversations of about the same age."""

    label: str
    rows: list[ConversationView]
    is_continued: bool = False
    """Whether the group before it has the same label, which is then shown once."""


def _take_back(state: SidebarState, _error: RxChatError, given: dict[str, Any]) -> bool:
    """Show the title from before a refused rename; the banner shows the error."""
    state.answered_rename = dialog_number(given.get("form"))
    return False


class SidebarState(rx.State):
    """The user's conversations, newest first, and which of them are being answered."""

    groups: list[Group] = []
    """The first page of the list."""
    older: list[Group] = []
    """The pages after it: they rarely change, so they are rarely sent again."""
    running: list[str] = []
    loaded: bool = False
    next_after: str = ""
    """The ID of the last conversation of the list, if there are more; else ""."""
    answered_rename: int = 0
    """The number of the rename that was done or refused last; until then the page shows the title that was typed."""
    removed_title: str = ""
    _removed_id: str = ""
    _until: ListPosition | None = None
    """The last position of the list, if it has more than one page."""
    _first_page_until: ListPosition | None = None
    _last: ListPosition | None = None

    @rx.event
    @requires_user
    async def load(self, current_user: CurrentUser) -> None:
        """Show the current list."""
        if (await self.get_state(CurrentUserState))._navigation is Navigation.LOADS:
            await self._refresh(current_user)

    async def _refresh(self, current_user: CurrentUser) -> None:
        self._show(await listed(current_user, self._until), self._until)

    def _show(self, conversations: list[ConversationSummary], until: ListPosition | None) -> bool:
        """Show these conversations, which were read down to a position, if the list still ends there.

        Values that have not changed are not sent again.
        """
        if until != self._until:
            return False
        split = self._first_page_until
        first = [item for item in conversations if split is None or item.position >= split]
        now = datetime.now(UTC)
        groups = grouped(first, now)
        older = grouped(conversations[len(first) :], now)
        if groups and older:
            older[0].is_continued = older[0].label == groups[-1].label
        running = [str(item.id) for item in conversations if item.is_running]
        set_changed(self, groups=groups, older=older, running=running, loaded=True)
        if until is None:
            self._end(conversations)
        return True

    def _end(self, page: list[ConversationSummary]) -> None:
        """Offer more after the last page, if it is full."""
        set_changed(self, next_after=str(page[-1].id) if len(page) >= PAGE_CONVERSATIONS else "")
        self._last = page[-1].position if page else self._last

    @rx.event
    @requires_user
    async def more(self, current_user: CurrentUser, after: str) -> None:
        """Show the page of the list after a conversation; the browser may ask for it twice."""
        if not after or after != self.next_after or self._last is None:
            return
        page = await container.get_services().chat.conversations.recent(current_user, after=self._last)
        self._first_page_until = self._first_page_until or self._last
        self._until = page[-1].position if page else self._last
        await self._refresh(current_user)
        self._end(page)

    @rx.event
    @partial(requires_user, refuse=_take_back)
    async def rename(self, current_user: CurrentUser, form: dict) -> None:
        """Rename the conversation with the form's id; `dialog` is the number of the rename."""
        title = text_in(form, "title")
        await container.get_services().chat.conversations.rename(current_user, _id(text_in(form, "id")), title)
        await self._refresh(current_user)
        self.answered_rename = dialog_number(form)

    @rx.event
    @requires_user
    async def remove(self, current_user: CurrentUser, conversation_id: str) -> None:
        """Delete a conversation, and offer to undo it."""
        identifier = _id(conversation_id)
        rows = (row for group in [*self.groups, *self.older] for row in group.rows)
        title = next((row.title for row in rows if row.id == conversation_id), "")
        await container.get_services().chat.conversations.remove(current_user, identifier)
        self.removed_title = title or "Conversation"
        self._removed_id = conversation_id
        await self._refresh(current_user)

    @rx.event
    @requires_user
    async def undo_remove(self, current_user: CurrentUser) -> None:
        """Restore the conversation that was just deleted."""
        await container.get_services().chat.conversations.restore(current_user, _id(self._removed_id))
        self.removed_title = ""
        await self._refresh(current_user)

    @rx.event
    @requires_user
    async def dismiss_removed(self, current_user: CurrentUser) -> None:
        """Hide the offer to undo."""
        del current_user
        self.removed_title = ""


async def listed(current_user: CurrentUser, until: ListPosition | None) -> list[ConversationSummary]:
    """Return the user's conversations down to a position; the first page without one."""
    conversations = container.get_services().chat.conversations
    return await (
        conversations.recent(current_user) if until is None else conversations.recent_until(current_user, until)
    )


def _id(value: str) -> UUID:
    identifier = parse_id(value)
    if identifier is None:
        raise InvalidInput("This conversation does not exist.")
    return identifier


def grouped(conversations: list[ConversationSummary], now: datetime) -> list[Group]:
    """Return the conversations under Today, Yesterday, Previous 7 days, and then by month."""
    groups: list[Group] = []
    for item in conversations:
        label = _age(item.updated_at.astimezone(UTC), now)
        if not groups or groups[-1].label != label:
            groups.append(Group(label, []))
        groups[-1].rows.append(ConversationView(str(item.id), item.title))
    return groups


def _age(moment: datetime, now: datetime) -> str:
    if moment.date() >= now.date():
        return "Today"
    if moment.date() == now.date() - timedelta(days=1):
        return "Yesterday"
    if moment.date() > now.date() - timedelta(days=7):
        return "Previous 7 days"
    return moment.strftime("%B") if moment.year == now.year else moment.strftime("%B %Y")
