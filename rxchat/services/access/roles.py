"""Roles and their permissions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from rxchat.db.access import roles as rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.authorization import require
from rxchat.domain.errors import Conflict, InvalidInput, NotAllowed, NotFound
from rxchat.domain.permissions import Permission, valid_permissions
from rxchat.domain.text import sanitize, short_line
from rxchat.services.platform.access_invalidator import AccessInvalidator
from rxchat.services.platform.audit import record

_NAME = re.compile(r"[a-z][a-z0-9-]{1,39}")


@dataclass(frozen=True, slots=True)
class RoleSummary:
    """A role with its number of users."""

    name: str
    title: str
    description: str
    permissions: tuple[str, ...]
    is_builtin: bool
    users: int


class Roles:
    """Use cases for roles."""

    def __init__(self, database: Database, access_invalidator: AccessInvalidator) -> None:
        self._database = database
        self._access_invalidator = access_invalidator

    async def all(self, current_user: CurrentUser) -> list[RoleSummary]:
        """Return all roles.

        Raises:
            NotAllowed: without the permission to see users.
        """
        require(current_user, Permission.USERS_READ)
        async with self._database.begin(current_user.user_id) as session:
            found = await rows.all_roles(session)
            counted = await rows.count_users_by_role(session)
        return [
            RoleSummary(
                row.name, row.title, row.description, tuple(row.permissions), row.is_builtin, counted.get(row.name, 0)
            )
            for row in found
        ]

    async def save(
        self,
        current_user: CurrentUser,
        *,
        name: str,
        title: str,
        description: str,
        permissions: Iterable[str],
        client_info: ClientInfo,
    ) -> None:
        """Create or change a role; users can only grant permissions that they have themselves.

        Raises:
            NotAllowed: without the permission to manage roles, or for a permission that the user lacks.
            InvalidInput: when the name or a permission is invalid.
            Conflict: when it is a built-in role.
        """
        require(current_user, Permission.ROLES_MANAGE)
        wanted = valid_permissions(permissions)
        title = short_line(title, 60, "Enter a name for the role of at most 60 characters.", field="title")
        name = name or re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40]
        if not _NAME.fullmatch(name):
            raise InvalidInput(
                "The role's name must start with a letter from a to z, and contain at least two of them."
            )
        if not wanted <= current_user.permissions:
            raise NotAllowed("You can only grant permissions you have yourself.")
        async with self._database.begin(current_user.user_id) as session:
            known = await rows.get(session, name)
            if known is not None and known.is_builtin:
                raise Conflict("Built-in roles cannot be changed. Create another role instead.")
            if known is not None and not set(known.permissions) <= {item.value for item in current_user.permissions}:
                raise NotAllowed("This role has permissions that yours does not have.")
            await rows.save(
                session, name=name, title=title, description=short_line(description, 300), permissions=sorted(wanted)
            )
            await record(
                session, current_user.user_id, "role_saved", client_info,
                role=name, permissions=sorted(wanted),
            )  # fmt: skip
        self._access_invalidator.changed(None)

    async def delete(self, current_user: CurrentUser, name: str, client_info: ClientInfo) -> None:
        """Delete a role.

        Raises:
            NotAllowed: without the permission to manage roles.
            NotFound: when the role does not exist or is built in.
            Conflict: when a user has it.
        """
        require(current_user, Permission.ROLES_MANAGE)
        async with self._database.begin(current_user.user_id) as session:
            if (await rows.count_users_by_role(session)).get(name):
                raise Conflict("Some users have this role. Give them another role first.")
            if not await rows.remove(session, sanitize(name)):
                raise NotFound
            await record(session, current_user.user_id, "role_removed", client_info, role=name)
