"""The page of roles: built-in and custom ones."""

from __future__ import annotations

from dataclasses import dataclass

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.permissions import ADMINISTRATIVE, PERMISSION_WORDS, Permission
from rxchat.services.access.roles import RoleSummary
from rxchat.services.app import container
from rxchat.states.access.admin import AdminPage, administering, chosen_in
from rxchat.states.platform.dialogs import text_in
from rxchat.states.platform.request_context import client_info_of


@dataclass
class RoleView:
    """A role as the page shows it."""

    name: str
    title: str
    description: str
    may: list[str]
    """The role's permissions, in words."""
    is_builtin: bool
    users: int


@dataclass
class PermissionChoice:
    """A permission as a checkbox."""

    name: str
    words: str
    is_chosen: bool
    is_mine: bool
    """Whether the editing user has the permission, and so may grant it."""


class RolesState(AdminPage, rx.State):
    """All roles, and the edited one."""

    roles: list[RoleView] = []
    edited: str = ""
    """The name of the role that the choices belong to; "" for a new one."""
    everyday: list[PermissionChoice] = []
    administrative: list[PermissionChoice] = []

    @rx.event
    @administering
    async def load(self, current_user: CurrentUser) -> None:
        """Show all roles."""
        self._confirm("")
        await self._read(current_user)
        self.loaded = True

    async def _read(self, current_user: CurrentUser) -> list[RoleSummary]:
        found = await container.get_services().access.roles.all(current_user)
        self.roles = [
            RoleView(role.name, role.title, role.description, _words(role.permissions), role.is_builtin, role.users)
            for role in found
        ]
        return found

    @rx.event
    @administering
    async def edit(self, current_user: CurrentUser, name: str) -> None:
        """Show the permissions of a role, or none for a new one ("")."""
        chosen = {role.name: set(role.permissions) for role in await self._read(current_user)}.get(name, set())
        choices = [
            PermissionChoice(item.value, words, item.value in chosen, item in current_user.permissions)
            for item, words in PERMISSION_WORDS.items()
        ]
        self.everyday = [choice for choice in choices if Permission(choice.name) not in ADMINISTRATIVE]
        self.administrative = [choice for choice in choices if Permission(choice.name) in ADMINISTRATIVE]
        self.edited = name[:60]
        self._confirm("")

    @rx.event
    @administering
    async def save(self, current_user: CurrentUser, form: dict) -> None:
        """Create a role, or change the one with the form's id."""
        title = text_in(form, "title")
        await container.get_services().access.roles.save(
            current_user,
            name=text_in(form, "id"),
            title=title,
            description=text_in(form, "description"),
            permissions=chosen_in(form, "may:"),
            client_info=client_info_of(self),
        )
        await self._read(current_user)
        self._confirm(f"Saved “{' '.join(title.split())}”.", form)

    @rx.event
    @administering
    async def remove(self, current_user: CurrentUser, form: dict) -> None:
        """Delete the role with the form's id."""
        name = text_in(form, "id")
        title = next((line.title for line in self.roles if line.name == name), "")
        await container.get_services().access.roles.delete(current_user, name, client_info_of(self))
        await self._read(current_user)
        self._confirm(f"Deleted the role “{title}”.", form)


def _words(permissions: tuple[str, ...]) -> list[str]:
    return [words for permission, words in PERMISSION_WORDS.items() if permission.value in permissions]
