"""The page of groups and their members."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.services.app import container
from rxchat.states.access.admin import AdminPage, administering, id_of, text_in
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
    """The groups, and the selected one."""

    groups: list[GroupView] = []
    current: GroupView = GroupView("", "", "", 0)
    members: list[Member] = []
    found: list[Member] = []
    searched: str = ""

    @rx.event
    @administering
    async def load(self, current_user: CurrentUser) -> None:
        """Show all groups."""
        self._close()
        await self._read(current_user)
        self.loaded = True

    async def _read(self, current_user: CurrentUser) -> None:
        found = await container.get_services().access.groups.all(current_user)
        self.groups = [GroupView(str(item.id), item.name, item.description, item.users) for item in found]
        self.current = next((line for line in self.groups if line.id == self.current.id), self.current)
        self.problem = ""

    async def _read_members(self, current_user: CurrentUser) -> None:
        found = await container.get_services().access.groups.members(current_user, self._current_id())
        self.members = [Member(str(user_id), name, email) for user_id, name, email in found]

    def _current_id(self) -> UUID:
        return id_of(self.current.id)

    def _look_at(self, group_id: str) -> None:
        self.current = next((line for line in self.groups if line.id == group_id), GroupView("", "", "", 0))

    @rx.event
    @administering
    async def show_form(self, current_user: CurrentUser, group_id: str) -> None:
        """Open the dialog to rename a group, or to create one ("")."""
        del current_user
        self._look_at(group_id)
        self._open("group")

    @rx.event
    @administering
    async def save(self, current_user: CurrentUser, form: dict) -> None:
        """Create or rename the group."""
        name = text_in(form, "name")
        await container.get_services().access.groups.save(
            current_user,
            group_id=self._current_id() if self.current.id else None,
            name=name,
            description=text_in(form, "description"),
            client_info=client_info_of(self),
        )
        await self._read(current_user)
        self._close(f"Saved “{' '.join(name.split())}”.")

    @rx.event
    @administering
    async def ask_remove(self, current_user: CurrentUser, group_id: str) -> None:
        """Ask for confirmation before deleting a group."""
        del current_user
        self._look_at(group_id)
        if self.current.id:
            self._open("remove")

    @rx.event
    @administering
    async def remove(self, current_user: CurrentUser) -> None:
        """Delete the group."""
        await container.get_services().access.groups.delete(current_user, self._current_id(), client_info_of(self))
        await self._read(current_user)
        self._close(f"The group “{self.current.name}” is gone; its users are still here.")

    @rx.event
    @administering
    async def show_members(self, current_user: CurrentUser, group_id: str) -> None:
        """Show the members of a group."""
        self._look_at(group_id)
        await self._read_members(current_user)
        self.found, self.searched = [], ""
        self._open("members")

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
            current_user, self._current_id(), id_of(user_id), client_info_of(self), is_member=is_member
        )
        await self._read_members(current_user)
        await self._read(current_user)
        self.found, self.searched = [], ""
