"""The page of one user: role, sessions, and their conversations, for a reason."""

from __future__ import annotations

from dataclasses import dataclass

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import is_permitted
from rxchat.domain.errors import InvalidInput, NotFound
from rxchat.domain.ids import parse_id
from rxchat.domain.permissions import Permission
from rxchat.services.app import container
from rxchat.states.access.admin import AdminPage, administering, id_of
from rxchat.states.access.users import Choice, giveable_roles, state_of
from rxchat.states.platform.dialogs import text_in
from rxchat.states.platform.field_views import milliseconds
from rxchat.states.platform.request_context import client_info_of


@dataclass
class UserDetailView:
    """A user as the page shows them."""

    name: str = ""
    email: str = ""
    role: str = ""
    role_title: str = ""
    state: str = ""
    second_factor: str = ""
    since: int = 0
    seen: int = 0
    deletion_at: int = 0
    is_deleted_by_others: bool = False


@dataclass
class ConversationView:
    """A conversation of the user, as an item of a list."""

    id: str
    title: str
    at: int


@dataclass
class MessageView:
    """A message of the user, as plain text."""

    who: str
    text: str
    at: int


class UserState(AdminPage, rx.State):
    """The user in the page's address."""

    user: UserDetailView = UserDetailView()
    groups: list[Choice] = []
    roles: list[Choice] = []
    missing: bool = False
    is_me: bool = False
    is_above: bool = False
    """Whether the user has permissions that the current user lacks, and so cannot be changed."""
    conversations: list[ConversationView] = []
    has_listed: bool = False
    reading: str = ""
    said: list[MessageView] = []
    selected_id: str = ""
    link: str = ""
    """The password link to pass on, while its dialog is open."""
    has_password: bool = True
    """Whether the administrator has a password, to confirm the deletion."""
    _reason: str = ""

    @rx.event
    @administering
    async def load(self, current_user: CurrentUser) -> None:
        """Show the user in the page's address."""
        self.reset()
        self.selected_id = str(self.router_data.get("query", {}).get("user_id", ""))
        self.missing = parse_id(self.selected_id) is None
        if not self.missing:
            await self._read(current_user)
        self.loaded = True

    async def _read(self, current_user: CurrentUser) -> None:
        try:
            row, groups = await container.get_services().access.user_admin.one(current_user, id_of(self.selected_id))
        except NotFound:
            self.missing = True
            return
        self.roles = await giveable_roles(current_user)
        titles = {role.name: role.title for role in await container.get_services().access.roles.all(current_user)}
        self.is_me = row.id == current_user.user_id
        self.has_password = (await container.get_services().app.profiles.get(current_user)).has_password
        self.is_above = row.role not in {choice.value for choice in self.roles}
        factor = (
            ("yes" if row.has_second_factor else "no") if is_permitted(current_user, Permission.USERS_MANAGE) else ""
        )
        self.user = UserDetailView(
            row.name, row.email, row.role, titles.get(row.role, row.role), state_of(row), factor,
            milliseconds(row.created_at), milliseconds(row.last_seen_at), milliseconds(row.deletion_at), row.deletion_by is not None,
        )  # fmt: skip
        self.groups = [Choice(str(group.id), group.name) for group in groups]

    @rx.event
    @administering
    async def set_role(self, current_user: CurrentUser, form: dict) -> None:
        """Change the user's role."""
        await container.get_services().access.user_admin.set_role(
            current_user, id_of(self.selected_id), text_in(form, "role"), client_info_of(self)
        )
        await self._read(current_user)
        self._confirm(f"{self.user.name} is {self.user.role_title} now.", form)

    @rx.event
    @administering
    async def suspend(self, current_user: CurrentUser, form: dict) -> None:
        """Suspend the user."""
        await container.get_services().access.user_admin.suspend(
            current_user, id_of(self.selected_id), client_info_of(self), is_suspended=True
        )
        await self._read(current_user)
        self._confirm(f"{self.user.name} was suspended and signed out everywhere.", form)

    @rx.event
    @administering
    async def readmit(self, current_user: CurrentUser, form: dict) -> None:
        """Reinstate the user."""
        await container.get_services().access.user_admin.suspend(
            current_user, id_of(self.selected_id), client_info_of(self), is_suspended=False
        )
        await self._read(current_user)
        self._confirm(f"{self.user.name} can sign in again.", form)

    @rx.event
    @administering
    async def show_deletion(self, current_user: CurrentUser) -> None:
        """Show the scheduled deletion, which the page requested over HTTP, since passwords never pass the socket."""
        await self._read(current_user)
        is_scheduled = self.user.deletion_at > 0
        name = self.user.name
        self._confirm(
            f"The account of {name} will be deleted. Until then you can cancel the deletion." if is_scheduled else ""
        )

    @rx.event
    @administering
    async def keep_account(self, current_user: CurrentUser, form: dict) -> None:
        """Cancel the deletion."""
        await container.get_services().access.user_admin.keep_account(
            current_user, id_of(self.selected_id), client_info_of(self)
        )
        await self._read(current_user)
        self._confirm(f"The account of {self.user.name} is kept.", form)

    @rx.event
    @administering
    async def end_sessions(self, current_user: CurrentUser, form: dict) -> None:
        """Sign the user out everywhere."""
        count = await container.get_services().access.user_admin.end_sessions(
            current_user, id_of(self.selected_id), client_info_of(self)
        )
        self._confirm("No open sessions." if not count else f"{count} sign-in{'s' if count > 1 else ''} ended.", form)

    @rx.event
    @administering
    async def reset_factor(self, current_user: CurrentUser, form: dict) -> None:
        """Remove the user's second factors."""
        await container.get_services().access.user_admin.reset_second_factor(
            current_user, id_of(self.selected_id), client_info_of(self)
        )
        await self._read(current_user)
        self._confirm(f"Two-factor authentication of {self.user.name} was reset.", form)

    @rx.event
    @administering
    async def make_link(self, current_user: CurrentUser, form: dict) -> None:
        """Create a link for the user to choose a new password; the dialog stays open, and shows it."""
        del form
        self.link = await container.get_services().access.user_admin.reset_link(
            current_user, id_of(self.selected_id), client_info_of(self)
        )
        self._done()

    @rx.event
    @administering
    async def forget_link(self, current_user: CurrentUser) -> None:
        """Forget the link, when the dialog for a new one opens."""
        del current_user
        self.link = ""
        self._confirm("")

    @rx.event
    @administering
    async def list_conversations(self, current_user: CurrentUser, form: dict) -> None:
        """List the user's conversations, for a recorded reason."""
        reason = text_in(form, "reason")
        found = await container.get_services().access.user_admin.conversations_of(
            current_user, id_of(self.selected_id), reason, client_info_of(self)
        )
        self.conversations = [ConversationView(str(item_id), title, milliseconds(at)) for item_id, title, at in found]
        self._reason, self.has_listed = reason, True
        self.reading, self.said = "", []
        self._confirm("", form)

    @rx.event
    @administering
    async def read(self, current_user: CurrentUser, conversation_id: str) -> None:
        """Show one of the listed conversations, for the same reason."""
        title = next((item.title for item in self.conversations if item.id == conversation_id), None)
        if title is None:
            raise InvalidInput("List the conversations again, and enter a reason.")
        found = await container.get_services().access.user_admin.read_conversation(
            current_user, id_of(conversation_id), self._reason, client_info_of(self)
        )
        self.said = [
            MessageView(_who(item.role, item.model, self.user.name), item.text, milliseconds(item.at)) for item in found
        ]
        self.reading, self.problem = title or "Conversation", ""

    @rx.event
    @administering
    async def stop_reading(self, current_user: CurrentUser) -> None:
        """Hide the conversations, and clear the reason."""
        del current_user
        self.conversations, self.said = [], []
        self.reading = self._reason = ""
        self.has_listed = False


def _who(role: str, model: str, name: str) -> str:
    return name if role == "user" else (model or "The model")
