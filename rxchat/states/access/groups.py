"""The page of groups and their members."""

from __future__ import annotations

from dataclasses import dataclass

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.services.app import container
from rxchat.states.access.admin import AdminPage, administering, id_of
from rxchat.states.platform.dialogs import text_in
from rxchat.states.platform.request_context import client_info_of

_CANDIDATES = 8


@dataclass
class GroupView:
    """A group as a row of the table."""

    id: str
    name: str
    description: str
    users: int


@dataclass
class Member:
    """A member of a group, or a candidate."""

    id: str
    name: str
    email: str


async def candidates(current_user: CurrentUser, words: str, without: set[str]) -> list[Member]:
    """Return the first users whose name or address contains the words, except `without`."""
    if not words.strip():
        return []
    found, _ = await container.get_services().access.user_admin.page(current_user, words=words)
    members = [Member(str(row.id), row.name, row.email) for row in found if str(row.id) not in without]
    return members[:_CANDIDATES]


class GroupsState(AdminPage, rx.State):
    """The groups, and the members of the one whose dialog is open."""

    groups: list[GroupView] = []
    selected_id: str = ""
    members: list[Member] = []
    found: list[Member] = []
    searched: str = ""

    @rx.event
    @administering
    async def load(self, current_user: CurrentUser) -> None:
        """Show all groups."""
        self.flash = ""
        await self._read(current_user)
        self.loaded = True

    async def _read(self, current_user: CurrentUser) -> None:
        found = await container.get_services().access.groups.all(current_user)
        self.groups = [GroupView(str(item.id), item.name, item.description, item.users) for item in found]
        self._done()

    async def _read_members(self, current_user: CurrentUser) -> None:
        found = await container.get_services().access.groups.members(current_user, id_of(self.selected_id))
        self.members = [Member(str(user_id), name, email) for user_id, name, email in found]

    @rx.event
    @administering
    async def save(self, current_user: CurrentUser, form: dict) -> None:
        """Create a group, or rename the one with the form's id."""
        name, group_id = text_in(form, "name"), text_in(form, "id")
        await container.get_services().access.groups.save(
            current_user,
            group_id=id_of(group_id) if group_id else None,
            name=name,
            description=text_in(form, "description"),
            client_info=client_info_of(self),
        )
        await self._read(current_user)
        self._confirm(f"Saved “{' '.join(name.split())}”.", form)

    @rx.event
    @administering
    async def remove(self, current_user: CurrentUser, form: dict) -> None:
        """Delete the group with the form's id."""
        group_id = text_in(form, "id")
        name = next((line.name for line in self.groups if line.id == group_id), "")
        await container.get_services().access.groups.delete(current_user, id_of(group_id), client_info_of(self))
        await self._read(current_user)
        self._confirm(f"The group “{name}” was deleted; its members keep their accounts.", form)

    @rx.event
    @administering
    async def show_members(self, current_user: CurrentUser, group_id: str) -> None:
        """Show the members of a group."""
        if group_id != self.selected_id:
            self.selected_id, self.members = group_id, []
        self.found, self.searched = [], ""
        self._done()
        await self._read_members(current_user)

    @rx.event
    @administering
    async def find(self, current_user: CurrentUser, words: str) -> None:
        """Show candidates for membership."""
        self.found = await candidates(current_user, words, {member.id for member in self.members})
        self.searched, self.problem = words[:100].strip(), ""

    @rx.event
    @administering
    async def add(self, current_user: CurrentUser, user_id: str) -> None:
        """Add a user to the group."""
        await self._set_member(current_user, user_id, is_member=True)

    @rx.event
    @administering
    async def take_out(self, current_user: CurrentUser, user_id: str) -> None:
        """Remove a user from the group."""
        await self._set_member(current_user, user_id, is_member=False)

    async def _set_member(self, current_user: CurrentUser, user_id: str, *, is_member: bool) -> None:
        await container.get_services().access.groups.set_member(
            current_user, id_of(self.selected_id), id_of(user_id), client_info_of(self), is_member=is_member
        )
        await self._read_members(current_user)
        await self._read(current_user)
        self.found, self.searched = [], ""
