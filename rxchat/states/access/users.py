"""The page of users and invitations."""

from __future__ import annotations

from dataclasses import dataclass

import reflex as rx

from rxchat.db.access.user_admin import UserFacts
from rxchat.domain.accounts import CurrentUser, RegistrationMode
from rxchat.domain.authorization import is_permitted
from rxchat.domain.email_addresses import email_key
from rxchat.domain.permissions import Permission
from rxchat.services.access.user_admin import PAGE, Invitation
from rxchat.services.app import container
from rxchat.states.access.admin import AdminPage, administering, chosen_in, id_of, role_titles
from rxchat.states.platform.dialogs import text_in
from rxchat.states.platform.field_views import milliseconds
from rxchat.states.platform.request_context import client_info_of


@dataclass
class Choice:
    """An option of a select."""

    value: str
    label: str


@dataclass
class UserView:
    """A user as a row of the table."""

    id: str
    name: str
    email: str
    role: str
    second_factor: str
    seen: int
    state: str


@dataclass
class InvitationView:
    """An invitation that can still be accepted."""

    id: str
    email: str
    role: str
    expires: int
    is_mailed: bool


def state_of(row: UserFacts) -> str:
    """Return an account's state as a word."""
    if row.suspended_at:
        return "suspended"
    return "leaving" if row.deletion_at else "active"


async def giveable_roles(current_user: CurrentUser) -> list[Choice]:
    """Return the roles that the user can give: those without further permissions."""
    mine = {permission.value for permission in current_user.permissions}
    roles = await container.get_services().access.roles.all(current_user)
    return [Choice(role.name, role.title) for role in roles if set(role.permissions) <= mine]


class UsersState(AdminPage, rx.State):
    """The table of users, and the invitations."""

    users: list[UserView] = []
    total: int = 0
    offset: int = 0
    words: str = ""
    role: str = ""
    roles: list[Choice] = []
    giveable: list[Choice] = []
    groups: list[Choice] = []
    invitations: list[InvitationView] = []
    knows_more: bool = False
    """Whether the current user may see second factors and when users were last seen."""
    is_closed: bool = False
    """Whether registration is closed, so that invitations do not work."""
    invited: str = ""
    link: str = ""
    """The invitation's link to pass on, while its dialog is open."""
    has_replaced: bool = False
    """Whether it replaced an earlier invitation to this address."""
    is_mailed: bool = False

    @rx.event
    @administering
    async def load(self, current_user: CurrentUser) -> None:
        """Show the first page of all users."""
        self.words, self.role, self.offset, self.link = "", "", 0, ""
        self._confirm("")
        await self._read_choices(current_user)
        await self._read(current_user)
        await self._read_invitations(current_user)
        self.loaded = True

    async def _read_choices(self, current_user: CurrentUser) -> None:
        self.knows_more = is_permitted(current_user, Permission.USERS_MANAGE)
        self.roles = [Choice(name, title) for name, title in (await role_titles(current_user)).items()]
        self.giveable = await giveable_roles(current_user)
        self.groups = [
            Choice(str(group.id), group.name)
            for group in await container.get_services().access.groups.all(current_user)
        ]

    async def _read(self, current_user: CurrentUser) -> None:
        found, self.total = await container.get_services().access.user_admin.page(
            current_user, words=self.words, role=self.role, offset=self.offset
        )
        self.users = [self._line(row) for row in found]
        self._done()

    def _line(self, row: UserFacts) -> UserView:
        title = next((choice.label for choice in self.roles if choice.value == row.role), row.role)
        factor = ("yes" if row.has_second_factor else "no") if self.knows_more else ""
        return UserView(str(row.id), row.name, row.email, title, factor, milliseconds(row.last_seen_at), state_of(row))

    async def _read_invitations(self, current_user: CurrentUser) -> None:
        if is_permitted(current_user, Permission.USERS_INVITE):
            found = await container.get_services().access.user_admin.invitations(current_user)
            self.invitations = [self._invitation(item) for item in found]

    def _invitation(self, item: Invitation) -> InvitationView:
        title = next((choice.label for choice in self.roles if choice.value == item.role), item.role)
        return InvitationView(str(item.id), item.email, title, milliseconds(item.expires_at), item.is_mailed)

    @rx.event
    @administering
    async def search(self, current_user: CurrentUser, words: str) -> None:
        """Show users whose name or address contains the words."""
        self.words, self.offset = words[:100], 0
        await self._read(current_user)

    @rx.event
    @administering
    async def filter_role(self, current_user: CurrentUser, role: str) -> None:
        """Show users with this role; "" for all."""
        self.role, self.offset = role[:40], 0
        await self._read(current_user)

    @rx.event
    @administering
    async def next_page(self, current_user: CurrentUser) -> None:
        """Show the next page."""
        self.offset = min(self.offset + PAGE, max(0, (self.total - 1) // PAGE * PAGE))
        await self._read(current_user)

    @rx.event
    @administering
    async def previous_page(self, current_user: CurrentUser) -> None:
        """Show the previous page."""
        self.offset = max(0, self.offset - PAGE)
        await self._read(current_user)

    @rx.event
    @administering
    async def begin_invite(self, current_user: CurrentUser) -> None:
        """Forget the last invitation, when the dialog for a new one opens."""
        del current_user
        settings = await container.get_services().platform.instance_settings.current()
        self.is_closed = settings.registration is RegistrationMode.CLOSED
        self.invited = self.link = ""
        self._confirm("")

    @rx.event
    @administering
    async def invite(self, current_user: CurrentUser, form: dict) -> None:
        """Invite a user; the dialog stays open, and shows the link to hand over."""
        email = text_in(form, "email").strip()
        if self.link and email == self.invited:
            # The form was sent twice: a second invitation would end the one whose link is shown.
            return
        has_replaced = any(email_key(item.email) == email_key(email) for item in self.invitations)
        link, self.is_mailed = await container.get_services().access.user_admin.invite(
            current_user,
            email=email,
            role=text_in(form, "role"),
            group_ids=[id_of(value) for value in chosen_in(form, "group:")],
            client_info=client_info_of(self),
        )
        self.invited, self.link, self.has_replaced = email, link, has_replaced
        self._done()
        await self._read_invitations(current_user)

    @rx.event
    @administering
    async def revoke_invitation(self, current_user: CurrentUser, form: dict) -> None:
        """Revoke the invitation with the form's id."""
        invitation_id = text_in(form, "id")
        email = next((item.email for item in self.invitations if item.id == invitation_id), "")
        await container.get_services().access.user_admin.take_back(
            current_user, id_of(invitation_id), client_info_of(self)
        )
        await self._read_invitations(current_user)
        self._confirm(f"Revoked the invitation of {email}.", form)
