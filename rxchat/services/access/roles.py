"""Roles: which there are, and what each allows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from rxchat.db.access import roles as rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.errors import Conflict, InvalidInput, NotAllowed, NotFound
from rxchat.domain.permissions import (
    Permission,
    require,
    valid_permissions,
)
from rxchat.domain.text import sanitize, short_line
from rxchat.services.platform.audit import record
from rxchat.services.platform.change_feeds import AccessInvalidator

_NAME = re.compile(r"[a-z][a-z0-9-]{1,39}")


@dataclass(frozen=True, slots=True)
class RoleSummary:
    """A role, and how many people have it."""

    name: str
    title: str
    description: str
    permissions: tuple[str, ...]
    is_builtin: bool
    users: int


class Roles:
    """The use cases around roles."""

    def __init__(self, database: Database, access_invalidator: AccessInvalidator) -> None:
        self._database = database
        self._access_invalidator = access_invalidator

    async def all(self, current_user: CurrentUser) -> list[RoleSummary]:
        """Return all roles.

        Raises:
            NotAllowed: without the permission to see people.
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
        """Create a role or change one; nobody puts more into it than they have themselves.

        Raises:
            NotAllowed: without the permission to manage roles, or for a permission that one has not.
            InvalidInput: when a name or a permission cannot be used.
            Conflict: when it is one of those that every installation has.
        """
        require(current_user, Permission.ROLES_MANAGE)
        wanted = valid_permissions(permissions)
        title = short_line(title, 60, "Please give the role a name of at most 60 characters.")
        name = name or re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40]
        if not _NAME.fullmatch(name):
            raise InvalidInput("The role's name needs at least two letters of a to z, to begin with one.")
        if not wanted <= current_user.permissions:
            raise NotAllowed("You can only grant permissions you have yourself: one of these is not yours.")
        async with self._database.begin(current_user.user_id) as session:
            known = await rows.get(session, name)
            if known is not None and known.is_builtin:
                raise Conflict("This role is the same in every installation. Create one beside it instead.")
            if known is not None and not set(known.permissions) <= {item.value for item in current_user.permissions}:
                raise NotAllowed("This role may do things that yours may not.")
            await rows.save(
                session, name=name, title=title, description=short_line(description, 300), permissions=sorted(wanted)
            )
            await record(
                session, current_user.user_id, "role_saved", client_info,
                role=name, permissions=sorted(wanted),
            )  # fmt: skip
        self._access_invalidator.changed(None)

    async def delete(self, current_user: CurrentUser, name: str, client_info: ClientInfo) -> None:
        """Remove a role that nobody has.

        Raises:
            NotAllowed: without the permission to manage roles.
            NotFound: when there is none that can be removed.
            Conflict: when somebody has it.
        """
        require(current_user, Permission.ROLES_MANAGE)
        async with self._database.begin(current_user.user_id) as session:
            if (await rows.count_users_by_role(session)).get(name):
                raise Conflict("Somebody has this role. Give them another one first.")
            if not await rows.remove(session, sanitize(name)):
                raise NotFound
            await record(session, current_user.user_id, "role_removed", client_info, role=name)
