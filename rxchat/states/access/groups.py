"""Groups: what they are called and who is in them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import reflex as rx

from rxchat.domain.accounts import Viewer
from rxchat.services.app import container
from rxchat.states.access.admin import AdminPage, administering, id_of, text_in
from rxchat.states.platform.request_context import caller_of

_CANDIDATES = 8


@dataclass
class GroupLine:
    """A group as one line."""

    id: str
    name: str
    description: str
    people: int


@dataclass
class Member:
    """Somebody who is in a group, or could be."""

    id: str
    name: str
    email: str


async def candidates(viewer: Viewer, words: str, without: set[str]) -> list[Member]:
    """Return the first few people whose name or address holds the words, without these."""
    if not words.strip():
        return []
    found, _ = await container.get_services().people.page(viewer, words=words)
    members = [Member(str(row.id), row.name, row.email) for row in found if str(row.id) not in without]
    return members[:_CANDIDATES]


class GroupsState(AdminPage, rx.State):
    """The groups, and the one that is looked at."""

    groups: list[GroupLine] = []
    current: GroupLine = GroupLine("", "", "", 0)
    members: list[Member] = []
    found: list[Member] = []
    searched: str = ""

    @rx.event
    @administering
    async def load(self, viewer: Viewer) -> None:
        """Show all groups."""
        self._close()
        await self._read(viewer)
        self.loaded = True

    async def _read(self, viewer: Viewer) -> None:
        found = await container.get_services().teams.groups(viewer)
        self.groups = [GroupLine(str(item.id), item.name, item.description, item.people) for item in found]
        self.current = next((line for line in self.groups if line.id == self.current.id), self.current)
        self.problem = ""

    async def _read_members(self, viewer: Viewer) -> None:
        found = await container.get_services().teams.members(viewer, self._current_id())
        self.members = [Member(str(user_id), name, email) for user_id, name, email in found]

    def _current_id(self) -> UUID:
        return id_of(self.current.id)

    def _look_at(self, group_id: str) -> None:
        self.current = next((line for line in self.groups if line.id == group_id), GroupLine("", "", "", 0))

    @rx.event
    @administering
    async def show_form(self, viewer: Viewer, group_id: str) -> None:
        """Ask what a group shall be called; "" is a new one."""
        del viewer
        self._look_at(group_id)
        self._open("group")

    @rx.event
    @administering
    async def save(self, viewer: Viewer, form: dict) -> None:
        """Create the group, or call it something else."""
        name = text_in(form, "name")
        await container.get_services().teams.save_group(
            viewer,
            group_id=self._current_id() if self.current.id else None,
            name=name,
            description=text_in(form, "description"),
            caller=caller_of(self),
        )
        await self._read(viewer)
        self._close(f"Saved “{' '.join(name.split())}”.")

    @rx.event
    @administering
    async def ask_remove(self, viewer: Viewer, group_id: str) -> None:
        """Ask whether a group shall be deleted."""
        del viewer
        self._look_at(group_id)
        if self.current.id:
            self._open("remove")

    @rx.event
    @administering
    async def remove(self, viewer: Viewer) -> None:
        """Delete the group."""
        await container.get_services().teams.remove_group(viewer, self._current_id(), caller_of(self))
        await self._read(viewer)
        self._close(f"The group “{self.current.name}” is gone; its people are still here.")

    @rx.event
    @administering
    async def show_members(self, viewer: Viewer, group_id: str) -> None:
        """Show who is in a group."""
        self._look_at(group_id)
        await self._read_members(viewer)
        self.found, self.searched = [], ""
        self._open("members")

    @rx.event
    @administering
    async def find(self, viewer: Viewer, words: str) -> None:
        """Show who could be added."""
        self.found = await candidates(viewer, words, {member.id for member in self.members})
        self.searched, self.problem = words[:100].strip(), ""

    @rx.event
    @administering
    async def add(self, viewer: Viewer, user_id: str) -> None:
        """Put somebody into the group."""
        await self._set_member(viewer, user_id, is_member=True)

    @rx.event
    @administering
    async def take_out(self, viewer: Viewer, user_id: str) -> None:
        """Take somebody out of the group."""
        await self._set_member(viewer, user_id, is_member=False)

    async def _set_member(self, viewer: Viewer, user_id: str, *, is_member: bool) -> None:
        await container.get_services().teams.set_member(
            viewer, self._current_id(), id_of(user_id), caller_of(self), is_member=is_member
        )
        await self._read_members(viewer)
        await self._read(viewer)
        self.found, self.searched = [], ""
