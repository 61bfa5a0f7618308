"""Roles: those that every installation has, and those that were made here."""

from __future__ import annotations

from dataclasses import dataclass

import reflex as rx

from rxchat.domain.accounts import Viewer
from rxchat.domain.permissions import ADMINISTRATIVE, PERMISSION_WORDS, Permission
from rxchat.services.access.authorization import RoleView
from rxchat.services.app import container
from rxchat.states.access.admin import AdminPage, administering, chosen_in, text_in
from rxchat.states.platform.request_context import caller_of


@dataclass
class RoleLine:
    """A role as the page shows it."""

    name: str
    title: str
    description: str
    may: list[str]
    """What it allows, in words."""
    is_builtin: bool
    people: int


@dataclass
class PermissionChoice:
    """A permission that can be ticked."""

    name: str
    words: str
    is_chosen: bool
    is_mine: bool
    """Whether whoever edits has it themselves: nobody gives more."""


_NEW = RoleLine("", "", "", [], False, 0)


class RolesState(AdminPage, rx.State):
    """All roles, and the one that is edited."""

    roles: list[RoleLine] = []
    current: RoleLine = _NEW
    everyday: list[PermissionChoice] = []
    administrative: list[PermissionChoice] = []

    @rx.event
    @administering
    async def load(self, viewer: Viewer) -> None:
        """Show all roles."""
        self._close()
        await self._read(viewer)
        self.loaded = True

    async def _read(self, viewer: Viewer) -> list[RoleView]:
        found = await container.get_services().teams.roles(viewer)
        self.roles = [
            RoleLine(role.name, role.title, role.description, _words(role.permissions), role.is_builtin, role.people)
            for role in found
        ]
        return found

    @rx.event
    @administering
    async def show_form(self, viewer: Viewer, name: str) -> None:
        """Ask what a role shall allow; "" is a new one."""
        chosen = {role.name: set(role.permissions) for role in await self._read(viewer)}.get(name, set())
        self.current = next((line for line in self.roles if line.name == name), _NEW)
        choices = [
            PermissionChoice(item.value, words, item.value in chosen, item in viewer.permissions)
            for item, words in PERMISSION_WORDS.items()
        ]
        self.everyday = [choice for choice in choices if Permission(choice.name) not in ADMINISTRATIVE]
        self.administrative = [choice for choice in choices if Permission(choice.name) in ADMINISTRATIVE]
        self._open("role")

    @rx.event
    @administering
    async def save(self, viewer: Viewer, form: dict) -> None:
        """Create the role, or change it."""
        title = text_in(form, "title")
        await container.get_services().teams.save_role(
            viewer,
            name=self.current.name,
            title=title,
            description=text_in(form, "description"),
            permissions=chosen_in(form, "may:"),
            caller=caller_of(self),
        )
        await self._read(viewer)
        self._close(f"Saved “{' '.join(title.split())}”.")

    @rx.event
    @administering
    async def ask_remove(self, viewer: Viewer, name: str) -> None:
        """Ask whether a role shall be deleted."""
        del viewer
        self.current = next((line for line in self.roles if line.name == name), _NEW)
        if self.current.name:
            self._open("remove")

    @rx.event
    @administering
    async def remove(self, viewer: Viewer) -> None:
        """Delete the role."""
        await container.get_services().teams.remove_role(viewer, self.current.name, caller_of(self))
        await self._read(viewer)
        self._close(f"The role “{self.current.title}” is gone.")


def _words(permissions: tuple[str, ...]) -> list[str]:
    return [words for permission, words in PERMISSION_WORDS.items() if permission.value in permissions]
