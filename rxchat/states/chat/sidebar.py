"""The list of conversations in the sidebar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.conversations import ConversationList, ConversationSummary, ListPosition
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


_END: ListPosition = datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0)


def _take_back(state: SidebarState, _error: RxChatError, given: dict[str, Any]) -> bool:
    """Show the title from before a refused rename; the banner shows the error."""
    state.answered_rename = dialog_number(given.get("form"))
    return False


class SidebarState(rx.State):
    """The user's conversations, newest first, and which of them are being answered."""

    pinned: list[ConversationView] = []
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
    flash: str = ""
    """What was just done with a conversation, in words; it can be undone."""
    _undo_id: str = ""
    _undoes_archiving: bool = False
    _times_shown: int = 0
    """Counts what was read and shown, so that nothing older replaces it."""
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
        self._show(await listed(current_user, self._until))

    def _show(self, found: Listed) -> None:
        """Show these conversations, which were read down to the end of the list; unchanged values are not sent again."""
        self._times_shown += 1
        pinned, conversations = found
        split = self._first_page_until
        first = [item for item in conversations if split is None or item.position >= split]
        now = datetime.now(UTC)
        groups = grouped(first, now)
        older = grouped(conversations[len(first) :], now)
        if groups and older:
            older[0].is_continued = older[0].label == groups[-1].label
        running = [str(item.id) for item in [*pinned, *conversations] if item.is_running]
        set_changed(self, pinned=[ConversationView(str(item.id), item.title) for item in pinned])
        set_changed(self, groups=groups, older=older, running=running, loaded=True)
        if self._until is None:
            self._end(conversations)

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
        conversations = container.get_services().chat.conversations
        page = await conversations.page(current_user, ConversationList.RECENT, after=self._last)
        self._first_page_until = self._first_page_until or self._last
        # At the end of the list all of it is shown, also what comes back into it with an older position.
        self._until = page[-1].position if len(page) >= PAGE_CONVERSATIONS else _END
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
    async def pin(self, current_user: CurrentUser, conversation_id: str) -> None:
        """Pin a conversation to the top."""
        await container.get_services().chat.conversations.pin(current_user, _id(conversation_id), is_pinned=True)
        await self._refresh(current_user)

    @rx.event
    @requires_user
    async def unpin(self, current_user: CurrentUser, conversation_id: str) -> None:
        """Move a conversation from the top to its place in the list."""
        await container.get_services().chat.conversations.pin(current_user, _id(conversation_id), is_pinned=False)
        await self._refresh(current_user)

    @rx.event
    @requires_user
    async def archive(self, current_user: CurrentUser, conversation_id: str) -> None:
        """Move a conversation to the archive, and offer to undo it."""
        await container.get_services().chat.conversations.archive(current_user, _id(conversation_id), is_archived=True)
        await self._offer_undo(current_user, conversation_id, is_archived=True)

    @rx.event
    @requires_user
    async def remove(self, current_user: CurrentUser, conversation_id: str) -> None:
        """Delete a conversation, and offer to undo it."""
        await container.get_services().chat.conversations.remove(current_user, _id(conversation_id))
        await self._offer_undo(current_user, conversation_id, is_archived=False)

    async def _offer_undo(self, current_user: CurrentUser, conversation_id: str, *, is_archived: bool) -> None:
        rows = (row for group in [*self.groups, *self.older] for row in group.rows)
        title = next((row.title for row in [*self.pinned, *rows] if row.id == conversation_id), "Conversation")
        self.flash = f"{'Archived' if is_archived else 'Deleted'} “{title}”"
        self._undo_id, self._undoes_archiving = conversation_id, is_archived
        await self._refresh(current_user)

    @rx.event
    @requires_user
    async def undo(self, current_user: CurrentUser) -> None:
        """Bring back the conversation that was just deleted or archived."""
        conversations, conversation_id = container.get_services().chat.conversations, _id(self._undo_id)
        if self._undoes_archiving:
            await conversations.archive(current_user, conversation_id, is_archived=False)
        else:
            await conversations.restore(current_user, conversation_id)
        self.flash = ""
        await self._refresh(current_user)

    @rx.event
    @requires_user
    async def dismiss(self, current_user: CurrentUser) -> None:
        """Hide the offer to undo."""
        del current_user
        self.flash = ""


Listed = tuple[list[ConversationSummary], list[ConversationSummary]]
"""The pinned conversations, and the recent ones."""


async def listed(current_user: CurrentUser, until: ListPosition | None) -> Listed:
    """Return what the list shows, down to a position; the first page without one."""
    return await container.get_services().chat.conversations.sidebar(current_user, until)


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
