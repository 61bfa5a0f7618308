"""Sharing of a user's own things with other users, groups or everyone: the same rules for each kind of thing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.db.access import roles as role_rows
from rxchat.db.access import shares as rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.audit_actions import AuditAction
from rxchat.domain.authorization import may_share_with_group, require_scope
from rxchat.domain.errors import InvalidInput, NotAllowed, NotFound
from rxchat.domain.ids import new_id
from rxchat.domain.permissions import Action, Grant, Permission, PrincipalKind, ResourceKind, Scope
from rxchat.domain.rate_limits import RateLimit
from rxchat.domain.text import sanitize
from rxchat.services.accounts.rate_limits import RateLimits
from rxchat.services.platform.access_invalidator import AccessInvalidator
from rxchat.services.platform.audit import record

_ADDRESSES = RateLimit(subject=20)
"""How many addresses a user can share with before pauses."""


@dataclass(frozen=True, slots=True)
class Shareable:
    """A kind of thing that users share."""

    kind: ResourceKind
    scope: Scope
    """What an API key needs for it."""
    require_owned: Callable[[AsyncSession, CurrentUser, UUID], Awaitable[None]]
    """Raises NotFound unless the thing is the user's own."""
    shared: AuditAction
    unshared: AuditAction
    permission: Permission | None = None
    """What a role needs to share it; for None it is enough to own it."""
    has_writers: bool = True
    """Whether a share may allow to change the thing."""


@dataclass(frozen=True, slots=True)
class Share:
    """A share of one thing."""

    grant_id: UUID
    principal_kind: str
    principal: str
    name: str
    may_write: bool


class Shares:
    """Use cases for sharing the user's own things of one kind."""

    def __init__(
        self, database: Database, access_invalidator: AccessInvalidator, rate_limits: RateLimits, of: Shareable
    ) -> None:
        self._database = database
        self._access_invalidator = access_invalidator
        self._rate_limits = rate_limits
        self._of = of

    async def of(self, current_user: CurrentUser, resource_id: UUID) -> list[Share]:
        """Return the shares of one of the user's things.

        Raises:
            NotFound: when it does not exist or is another user's.
        """
        require_scope(current_user, self._of.scope)
        async with self._database.begin(current_user.user_id) as session:
            await self._of.require_owned(session, current_user, resource_id)
            names = await rows.principal_names(session, self._of.kind, resource_id)
            grants = await rows.grants_of(session, self._of.kind, resource_id)
        return [
            Share(
                grant_id, grant.principal_kind.value, grant.principal, _shown_name(grant, names), grant.action is Action.WRITE
            )
            for grant_id, grant in grants
        ]  # fmt: skip

    async def add(
        self, current_user: CurrentUser, resource_id: UUID, kind: str, principal: str, client_info: ClientInfo, *,
        may_write: bool = False,
    ) -> str:  # fmt: skip
        """Share a thing with a user (by address), a group (by ID) or everyone, or change how it is shared with them.

        Returns the name to show.

        Raises:
            NotFound: when the thing does not exist or is another user's.
            NotAllowed: when the user's role may not share.
            InvalidInput: when no user has the address, or the user may not share with the group.
            TooManyAttempts: after too many.
        """
        require_scope(current_user, self._of.scope)
        if self._of.permission is not None and self._of.permission not in current_user.permissions:
            raise NotAllowed("Your role does not allow sharing.")
        await self._attempt(current_user, kind, client_info)
        async with self._database.begin(current_user.user_id) as session:
            await self._of.require_owned(session, current_user, resource_id)
            for_whom, name = await _find_principal(session, current_user, kind, principal)
            if for_whom == str(current_user.user_id):
                raise InvalidInput(f"This is your own {self._of.kind.value}.")
            action = Action.WRITE if may_write and self._of.has_writers else Action.READ
            given = Grant(PrincipalKind(kind), for_whom, self._of.kind, str(resource_id), action)
            for grant_id, old in await rows.grants_of(session, self._of.kind, resource_id):
                if (old.principal_kind, old.principal) == (given.principal_kind, given.principal) and old != given:
                    await role_rows.remove_grant(session, grant_id)
            await role_rows.add_grant(session, new_id(), given, current_user.user_id)
            access = {"access": "change" if action is Action.WRITE else "use"} if self._of.has_writers else {}
            await record(
                session, current_user.user_id, self._of.shared, client_info,
                **{self._of.kind.value: str(resource_id)}, principal=f"{kind} {for_whom}", **access,
            )  # fmt: skip
        self._access_invalidator.changed(None)
        return name

    async def remove(
        self, current_user: CurrentUser, resource_id: UUID, grant_id: UUID, client_info: ClientInfo
    ) -> None:
        """Revoke a share; open tabs are notified.

        Raises:
            NotFound: when the user has made no such share.
        """
        require_scope(current_user, self._of.scope)
        async with self._database.begin(current_user.user_id) as session:
            await self._of.require_owned(session, current_user, resource_id)
            given = dict(await rows.grants_of(session, self._of.kind, resource_id)).get(grant_id)
            if given is None or not await role_rows.remove_grant(session, grant_id):
                raise NotFound
            await record(
                session, current_user.user_id, self._of.unshared, client_info,
                **{self._of.kind.value: str(resource_id)}, principal=f"{given.principal_kind} {given.principal}",
            )  # fmt: skip
        self._access_invalidator.changed(None)

    async def groups(self, current_user: CurrentUser) -> list[tuple[str, str]]:
        """Return the groups that the user can share with: ID and name."""
        require_scope(current_user, self._of.scope)
        async with self._database.begin(current_user.user_id) as session:
            return [(str(group_id), name) for group_id, name in await _shareable_groups(session, current_user)]

    async def _attempt(self, current_user: CurrentUser, kind: str, client_info: ClientInfo) -> None:
        """Count that a user shares something of theirs."""
        if kind == PrincipalKind.USER:
            # Without a limit it would be a directory of all accounts.
            await self._rate_limits.attempt(
                "share", client_info, str(current_user.user_id), counts_alone=True, allowance=_ADDRESSES
            )
        await self._rate_limits.attempt_to_share(current_user.user_id, client_info)


async def _find_principal(
    session: AsyncSession, current_user: CurrentUser, kind: str, principal: str
) -> tuple[str, str]:
    """Return the principal of a grant, and its name: of a user (by address), a group (by ID) or everyone.

    Raises:
        InvalidInput: when no user has the address, or the user may not share with the group.
    """
    principal = sanitize(principal).strip()
    if kind == PrincipalKind.EVERYONE:
        return "*", "Everyone"
    if kind == PrincipalKind.GROUP:
        groups = {str(group_id): name for group_id, name in await _shareable_groups(session, current_user)}
        if principal not in groups:
            raise InvalidInput("This group does not exist, or you are not a member of it. Choose one of your groups.")
        return principal, groups[principal]
    if kind != PrincipalKind.USER:
        raise InvalidInput("Choose a user, a group or everyone.")
    person = await rows.find_user_by_email(session, principal)
    if person is None:
        raise InvalidInput(f"No user has the address {principal[:200]}. Check the spelling.")
    # Show the address that was entered, so that guessing an address does not reveal a name.
    return str(person[0]), principal


async def _shareable_groups(session: AsyncSession, current_user: CurrentUser) -> list[tuple[UUID, str]]:
    """Return the groups that the user may share with."""
    found = await role_rows.groups(session)
    return [(row.id, row.name) for row, _ in found if may_share_with_group(current_user, str(row.id))]


def _shown_name(grant: Grant, names: dict[str, str]) -> str:
    """Return the name of a grant's principal, by the names of those with whom something is shared."""
    return "Everyone" if grant.principal_kind is PrincipalKind.EVERYONE else names.get(grant.principal, grant.principal)
