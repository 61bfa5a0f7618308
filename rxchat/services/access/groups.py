"""Groups of users, and their members."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from rxchat.db.access import roles as rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.authorization import require
from rxchat.domain.errors import Conflict, NotFound
from rxchat.domain.ids import new_id
from rxchat.domain.permissions import Permission, PrincipalKind
from rxchat.domain.text import short_line
from rxchat.services.access.grants import require_to_fill
from rxchat.services.platform.access_invalidator import AccessInvalidator
from rxchat.services.platform.audit import record
from rxchat.tables import Group


@dataclass(frozen=True, slots=True)
class GroupSummary:
    """A group with its number of members."""

    id: UUID
    name: str
    description: str
    users: int


class Groups:
    """Use cases for groups."""

    def __init__(self, database: Database, access_invalidator: AccessInvalidator) -> None:
        self._database = database
        self._access_invalidator = access_invalidator

    async def all(self, current_user: CurrentUser) -> list[GroupSummary]:
        """Return all groups.

        Raises:
            NotAllowed: without the permission to see users.
        """
        require(current_user, Permission.USERS_READ)
        async with self._database.begin(current_user.user_id) as session:
            found = await rows.groups(session)
        return [GroupSummary(row.id, row.name, row.description, count) for row, count in found]

    async def save(
        self, current_user: CurrentUser, *, group_id: UUID | None, name: str, description: str, client_info: ClientInfo
    ) -> UUID:
        """Create or rename a group; return its id.

        Raises:
            NotAllowed: without the permission to manage groups.
            InvalidInput: without a name.
            Conflict: when another group has this name.
            NotFound: when the group does not exist.
        """
        require(current_user, Permission.GROUPS_MANAGE)
        name = short_line(name, 60, "Enter a name for the group of at most 60 characters.", field="name")
        async with self._database.begin(current_user.user_id) as session:
            taken = [row.id for row, _ in await rows.groups(session) if row.name.lower() == name.lower()]
            if taken and taken != [group_id]:
                raise Conflict("A group with this name already exists.")
            if group_id is None:
                group_id = new_id()
                await rows.add_group(session, Group(id=group_id, name=name, description=short_line(description, 300)))
            elif not await rows.rename_group(session, group_id, name, short_line(description, 300)):
                raise NotFound
            await record(
                session, current_user.user_id, "group_saved", client_info,
                group=str(group_id), name=name,
            )  # fmt: skip
        return group_id

    async def delete(self, current_user: CurrentUser, group_id: UUID, client_info: ClientInfo) -> None:
        """Delete a group and its grants.

        Raises:
            NotAllowed: without the permission to manage groups.
            NotFound: when the group does not exist.
        """
        require(current_user, Permission.GROUPS_MANAGE)
        async with self._database.begin(current_user.user_id) as session:
            if not await rows.remove_group(session, group_id):
                raise NotFound
            await record(
                session,
                current_user.user_id,
                "group_removed",
                client_info,
                group=str(group_id),
            )
        self._access_invalidator.changed(None)

    async def members(self, current_user: CurrentUser, group_id: UUID) -> list[tuple[UUID, str, str]]:
        """Return the members of a group: id, name and address.

        Raises:
            NotAllowed: without the permission to see users.
            NotFound: when there is no such group.
        """
        require(current_user, Permission.USERS_READ)
        async with self._database.begin(current_user.user_id) as session:
            if await rows.group(session, group_id) is None:
                raise NotFound
            return await rows.members(session, group_id)

    async def set_member(
        self, current_user: CurrentUser, group_id: UUID, user_id: UUID, client_info: ClientInfo, *, is_member: bool
    ) -> None:
        """Add a user to a group, or remove them.

        Raises:
            NotAllowed: without the permission to manage groups.
            NotFound: when the group does not exist, or the user is not a member.
        """
        require(current_user, Permission.GROUPS_MANAGE)
        if is_member and user_id == current_user.user_id:
            # Managing groups does not include using their grants.
            require(current_user, Permission.GRANTS_MANAGE)
        async with self._database.begin(current_user.user_id) as session:
            if await rows.group(session, group_id) is None:
                raise NotFound
            if is_member:
                await require_to_fill(session, current_user, PrincipalKind.GROUP, [str(group_id)])
                await rows.add_member(session, group_id, user_id)
            elif not await rows.remove_member(session, group_id, user_id):
                raise NotFound
            action = "member_added" if is_member else "member_removed"
            await record(
                session, current_user.user_id, action, client_info,
                group=str(group_id), user=str(user_id),
            )  # fmt: skip
        self._access_invalidator.changed(user_id)
