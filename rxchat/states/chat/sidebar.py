"""The list of conversations in the sidebar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.conversations import ConversationSummary
from rxchat.domain.errors import InvalidInput
from rxchat.domain.ids import parse_id
from rxchat.services.app import container
from rxchat.states.platform.auth_guard import requires_user


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


class SidebarState(rx.State):
    """The user's conversations, newest first, and which of them are being answered."""

    groups: list[Group] = []
    running: list[str] = []
    loaded: bool = False
    removed_title: str = ""
    _removed_id: str = ""

    @rx.event
    @requires_user
    async def load(self, current_user: CurrentUser) -> None:
        """Show the current list."""
        self._show(await container.get_services().chat.conversations.recent(current_user))

    def _show(self, conversations: list[ConversationSummary]) -> None:
        """Show these conversations; unchanged ones are not sent again."""
        groups = grouped(conversations, datetime.now(UTC))
        running = [str(item.id) for item in conversations if item.is_running]
        if groups != self.groups:
            self.groups = groups
        if running != self.running:
            self.running = running
        if not self.loaded:
            self.loaded = True

    @rx.event
    @requires_user
    async def rename(self, current_user: CurrentUser, conversation_id: str, title: str) -> None:
        """Rename a conversation."""
        conversations = container.get_services().chat.conversations
        await conversations.rename(current_user, _id(conversation_id), title)
        self._show(await conversations.recent(current_user))

    @rx.event
    @requires_user
    async def remove(self, current_user: CurrentUser, conversation_id: str) -> None:
        """Delete a conversation, and offer to undo it."""
        conversations = container.get_services().chat.conversations
        identifier = _id(conversation_id)
        title = next((row.title for group in self.groups for row in group.rows if row.id == conversation_id), "")
        await conversations.remove(current_user, identifier)
        self.removed_title = title or "Conversation"
        self._removed_id = conversation_id
        self._show(await conversations.recent(current_user))

    @rx.event
    @requires_user
    async def undo_remove(self, current_user: CurrentUser) -> None:
        """Restore the conversation that was just deleted."""
        conversations = container.get_services().chat.conversations
        await conversations.restore(current_user, _id(self._removed_id))
        self.removed_title = ""
        self._show(await conversations.recent(current_user))

    @rx.event
    @requires_user
    async def dismiss_removed(self, current_user: CurrentUser) -> None:
        """Hide the offer to undo."""
        del current_user
        self.removed_title = ""


def _id(value: str):
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
