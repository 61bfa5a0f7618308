"""Roles, groups and grants: what belongs together, and who may do what with which things."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from rxchat.db.access import audit_log
from rxchat.db.access import roles as rows
from rxchat.db.chat import conversations as conversation_rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import Caller, Viewer
from rxchat.domain.errors import Conflict, InvalidInput, NotAllowed, NotFound
from rxchat.domain.ids import new_id, parse_id
from rxchat.domain.permissions import (
    Action,
    Grant,
    Permission,
    PrincipalKind,
    Resource,
    ResourceKind,
    Scope,
    is_allowed,
    is_permitted,
    may_share_with_group,
    require,
    require_scope,
    valid_permissions,
)
from rxchat.domain.text import clean_line, sanitize
from rxchat.observability import correlation_id
from rxchat.services.accounts.rate_limits import RateLimits
from rxchat.services.platform.change_feeds import AccessInvalidator
from rxchat.tables import Group

_NAME = re.compile(r"[a-z][a-z0-9-]{1,39}")


@dataclass(frozen=True, slots=True)
class RoleView:
    """A role, and how many people have it."""

    name: str
    title: str
    description: str
    permissions: tuple[str, ...]
    is_builtin: bool
    people: int


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group, and how many people are in it."""

    id: UUID
    name: str
    description: str
    people: int


class Authorization:
    """The use cases around roles, groups and grants."""

    def __init__(self, database: Database, access: AccessInvalidator, limits: RateLimits) -> None:
        self._database = database
        self._access = access
        self._limits = limits

    async def roles(self, viewer: Viewer) -> list[RoleView]:
        """Return all roles.

        Raises:
            NotAllowed: without the permission to see people.
        """
        require(viewer, Permission.PEOPLE_READ)
        async with self._database.begin(viewer.user_id) as session:
            found = await rows.all_roles(session)
            counted = await rows.people_by_role(session)
        return [
            RoleView(
                row.name, row.title, row.description, tuple(row.permissions), row.is_builtin, counted.get(row.name, 0)
            )
            for row in found
        ]

    async def save_role(
        self, viewer: Viewer, *, name: str, title: str, description: str, permissions: Iterable[str], caller: Caller
    ) -> None:
        """Create a role or change one; nobody puts more into it than they have themselves.

        Raises:
            NotAllowed: without the permission to manage roles, or for a permission that one has not.
            InvalidInput: when a name or a permission cannot be used.
            Conflict: when it is one of those that every installation has.
        """
        require(viewer, Permission.ROLES_MANAGE)
        wanted = valid_permissions(permissions)
        title = _line(title, 60, "Please give the role a name of at most 60 characters.")
        name = name or re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40]
        if not _NAME.fullmatch(name):
            raise InvalidInput("The role's name needs at least two letters of a to z, to begin with one.")
        if not wanted <= viewer.permissions:
            raise NotAllowed("You can only grant permissions you have yourself: one of these is not yours.")
        async with self._database.begin(viewer.user_id) as session:
            known = await rows.get(session, name)
            if known is not None and known.is_builtin:
                raise Conflict("This role is the same in every installation. Create one beside it instead.")
            if known is not None and not set(known.permissions) <= {item.value for item in viewer.permissions}:
                raise NotAllowed("This role may do things that yours may not.")
            await rows.save(
                session, name=name, title=title, description=_line(description, 300), permissions=sorted(wanted)
            )
            await audit_log.append(
                session, viewer.user_id, "role_saved", caller.address, correlation_id(),
                role=name, permissions=sorted(wanted),
            )  # fmt: skip
        self._access.changed(None)

    async def remove_role(self, viewer: Viewer, name: str, caller: Caller) -> None:
        """Remove a role that nobody has.

        Raises:
            NotAllowed: without the permission to manage roles.
            NotFound: when there is none that can be removed.
            Conflict: when somebody has it.
        """
        require(viewer, Permission.ROLES_MANAGE)
        async with self._database.begin(viewer.user_id) as session:
            if (await rows.people_by_role(session)).get(name):
                raise Conflict("Somebody has this role. Give them another one first.")
            if not await rows.remove(session, sanitize(name)):
                raise NotFound
            await audit_log.append(session, viewer.user_id, "role_removed", caller.address, correlation_id(), role=name)

    async def groups(self, viewer: Viewer) -> list[GroupView]:
        """Return all groups.

        Raises:
            NotAllowed: without the permission to see people.
        """
        require(viewer, Permission.PEOPLE_READ)
        async with self._database.begin(viewer.user_id) as session:
            found = await rows.groups(session)
        return [GroupView(row.id, row.name, row.description, count) for row, count in found]

    async def save_group(
        self, viewer: Viewer, *, group_id: UUID | None, name: str, description: str, caller: Caller
    ) -> UUID:
        """Create a group, or change what it is called; return its id.

        Raises:
            NotAllowed: without the permission to manage groups.
            InvalidInput: without a name.
            Conflict: when another group is called so.
            NotFound: when there is no such group.
        """
        require(viewer, Permission.GROUPS_MANAGE)
        name = _line(name, 60, "Please give the group a name of at most 60 characters.")
        async with self._database.begin(viewer.user_id) as session:
            taken = [row.id for row, _ in await rows.groups(session) if row.name.lower() == name.lower()]
            if taken and taken != [group_id]:
                raise Conflict("There is a group with this name already.")
            if group_id is None:
                group_id = new_id()
                await rows.add_group(session, Group(id=group_id, name=name, description=_line(description, 300)))
            elif not await rows.rename_group(session, group_id, name, _line(description, 300)):
                raise NotFound
            await audit_log.append(
                session, viewer.user_id, "group_saved", caller.address, correlation_id(),
                group=str(group_id), name=name,
            )  # fmt: skip
        return group_id

    async def remove_group(self, viewer: Viewer, group_id: UUID, caller: Caller) -> None:
        """Remove a group; what it was granted is gone with it.

        Raises:
            NotAllowed: without the permission to manage groups.
            NotFound: when there is no such group.
        """
        require(viewer, Permission.GROUPS_MANAGE)
        async with self._database.begin(viewer.user_id) as session:
            if not await rows.remove_group(session, group_id):
                raise NotFound
            await audit_log.append(
                session, viewer.user_id, "group_removed", caller.address, correlation_id(), group=str(group_id)
            )
        self._access.changed(None)

    async def members(self, viewer: Viewer, group_id: UUID) -> list[tuple[UUID, str, str]]:
        """Return who is in a group: id, name and address.

        Raises:
            NotAllowed: without the permission to see people.
            NotFound: when there is no such group.
        """
        require(viewer, Permission.PEOPLE_READ)
        async with self._database.begin(viewer.user_id) as session:
            if await rows.group(session, group_id) is None:
                raise NotFound
            return await rows.members(session, group_id)

    async def set_member(
        self, viewer: Viewer, group_id: UUID, user_id: UUID, caller: Caller, *, is_member: bool
    ) -> None:
        """Put a person into a group, or take them out.

        Raises:
            NotAllowed: without the permission to manage groups.
            NotFound: when there is no such group, or the person is not in it.
        """
        require(viewer, Permission.GROUPS_MANAGE)
        if is_member and user_id == viewer.user_id:
            # What a group was granted is not for its keeper to take.
            require(viewer, Permission.GRANTS_MANAGE)
        async with self._database.begin(viewer.user_id) as session:
            if await rows.group(session, group_id) is None:
                raise NotFound
            if is_member:
                await require_to_fill(session, viewer, PrincipalKind.GROUP, [str(group_id)])
                await rows.add_member(session, group_id, user_id)
            elif not await rows.remove_member(session, group_id, user_id):
                raise NotFound
            action = "member_added" if is_member else "member_removed"
            await audit_log.append(
                session, viewer.user_id, action, caller.address, correlation_id(),
                group=str(group_id), person=str(user_id),
            )  # fmt: skip
        self._access.changed(user_id)

    async def grants(self, viewer: Viewer, kind: ResourceKind | None = None) -> list[tuple[UUID, Grant]]:
        """Return all grants.

        Raises:
            NotAllowed: without the permission to manage grants.
        """
        require(viewer, Permission.GRANTS_MANAGE)
        async with self._database.begin(viewer.user_id) as session:
            return await rows.all_grants(session, kind)

    async def grant(
        self, viewer: Viewer, *, principal_kind: str, principal: str, resource_kind: str, resource: str, action: str,
        caller: Caller,
    ) -> None:  # fmt: skip
        """Give a grant: the owner of a conversation those on it, and nobody else; all others whoever manages grants.

        Raises:
            NotAllowed: when it is not theirs to give, or not to this group or role.
            InvalidInput: when it makes no sense.
            TooManyAttempts: when it was done too often.
        """
        given = _valid_grant(principal_kind, principal, resource_kind, resource, action)
        if not is_permitted(viewer, Permission.GRANTS_MANAGE):
            await self._limits.attempt_to_share(viewer.user_id, caller)
            _require_principal(viewer, given)
        async with self._database.begin(viewer.user_id) as session:
            await self._require_to_give(session, viewer, given)
            await rows.add_grant(session, new_id(), given, viewer.user_id)
            await audit_log.append(
                session, viewer.user_id, "granted", caller.address, correlation_id(), grant=_told(given)
            )
        self._access.changed(None)

    async def revoke(self, viewer: Viewer, grant_id: UUID, caller: Caller) -> None:
        """Take a grant back.

        Raises:
            NotFound: when there is none that is theirs to take.
        """
        async with self._database.begin(viewer.user_id) as session:
            given = await rows.grant(session, grant_id)
            if given is None:
                raise NotFound
            await self._require_to_give(session, viewer, given)
            if not await rows.remove_grant(session, grant_id):
                raise NotFound
            await audit_log.append(
                session, viewer.user_id, "grant_revoked", caller.address, correlation_id(), grant=_told(given)
            )
        self._access.changed(None)

    async def _require_to_give(self, session: rows.AsyncSession, viewer: Viewer, given: Grant) -> None:
        conversation_id = parse_id(given.resource) if given.resource_kind is ResourceKind.CONVERSATION else None
        if conversation_id is None:
            require(viewer, Permission.GRANTS_MANAGE)
            return
        require_scope(viewer, Scope.CHAT)
        if await conversation_rows.get_whatever_owned(session, viewer.user_id, conversation_id) is None:
            # Reading what others wrote takes a reason that is kept; a grant would be a way around it.
            raise NotAllowed

    async def usable(
        self, viewer: Viewer, kind: ResourceKind, action: Action, resources: Sequence[str]
    ) -> frozenset[str]:
        """Return with which of these things the person may do this, by their role or by grants."""
        if all(is_allowed(viewer, action, Resource(kind, name)) for name in resources):
            return frozenset(resources)
        async with self._database.begin(viewer.user_id) as session:
            grants = await rows.grants_on(session, kind, resources)
        return frozenset(name for name in resources if is_allowed(viewer, action, Resource(kind, name), grants))


async def require_to_fill(
    session: rows.AsyncSession, viewer: Viewer, kind: PrincipalKind, principals: Sequence[str]
) -> None:
    """Check that the user may give others what these groups or roles were granted: a second account is quickly made.

    Raises:
        NotAllowed: when there is a grant to one of them, and grants are not the user's to give.
    """
    if Permission.GRANTS_MANAGE not in viewer.permissions and await rows.has_grants(session, kind, principals):
        raise NotAllowed(
            "Things were shared with this group or role, so only people who may share them can add members."
        )


def _require_principal(viewer: Viewer, given: Grant) -> None:
    """Check that the user may share with this group or role: whom it is granted to, only users with the right to grant add.

    Raises:
        NotAllowed: for a group that is not theirs, and for any role.
    """
    match given.principal_kind:
        case PrincipalKind.PERSON | PrincipalKind.EVERYONE:
            return
        case PrincipalKind.GROUP:
            if may_share_with_group(viewer, given.principal):
                return
            raise NotAllowed("You can share only with groups that you are a member of.")
        case PrincipalKind.ROLE:
            raise NotAllowed("Only users who may give grants can share with a role.")


def _line(text: str, longest: int, sentence: str = "") -> str:
    """Return a text on one line; with a sentence, it must not be blank or too long."""
    line = clean_line(text)
    if sentence and (not line or len(line) > longest):
        raise InvalidInput(sentence)
    return line[:longest]


def _valid_grant(principal_kind: str, principal: str, resource_kind: str, resource: str, action: str) -> Grant:
    try:
        given = Grant(
            PrincipalKind(principal_kind), sanitize(principal)[:200], ResourceKind(resource_kind),
            sanitize(resource)[:300], Action(action),
        )  # fmt: skip
    except ValueError as error:
        raise InvalidInput("There is no such grant.") from error
    if given.principal_kind in {PrincipalKind.PERSON, PrincipalKind.GROUP}:
        given = replace(given, principal=_id_as_stored(given.principal))
    is_each = given.resource == "*" and given.resource_kind is ResourceKind.COLLECTION
    if given.resource_kind in {ResourceKind.CONVERSATION, ResourceKind.COLLECTION} and not is_each:
        given = replace(given, resource=_id_as_stored(given.resource))
    if not given.principal or not given.resource:
        raise InvalidInput("Please say for whom the grant is, and for what.")
    return given


def _id_as_stored(value: str) -> str:
    """Return an id as the database compares it; "" when it is none."""
    return str(parse_id(value) or "")


def _told(grant: Grant) -> dict[str, str]:
    return {
        "principal": f"{grant.principal_kind} {grant.principal}",
        "resource": f"{grant.resource_kind} {grant.resource}",
        "action": grant.action,
    }
