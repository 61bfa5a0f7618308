"""Sharing of a user's collections with other users, groups or everyone."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from rxchat.db.access import roles as role_rows
from rxchat.db.documents import documents as rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.authorization import may_share_with_group, require_scope
from rxchat.domain.errors import InvalidInput, NotFound
from rxchat.domain.ids import new_id
from rxchat.domain.permissions import Action, Grant, PrincipalKind, ResourceKind, Scope
from rxchat.domain.rate_limits import RateLimit
from rxchat.domain.text import sanitize
from rxchat.services.accounts.rate_limits import RateLimits
from rxchat.services.documents.collections import require_owned
from rxchat.services.platform.access_invalidator import AccessInvalidator
from rxchat.services.platform.audit import record

_ADDRESSES = RateLimit(subject=20)
"""How many addresses a user can share with before pauses."""


@dataclass(frozen=True, slots=True)
class Share:
    """A share of a collection."""

    grant_id: UUID
    principal_kind: str
    principal: str
    name: str


class CollectionShares:
    """Use cases for sharing the user's own collections."""

    def __init__(self, database: Database, access_invalidator: AccessInvalidator, rate_limits: RateLimits) -> None:
        self._database = database
        self._access_invalidator = access_invalidator
        self._rate_limits = rate_limits

    async def of_collection(self, current_user: CurrentUser, collection_id: UUID) -> list[Share]:
        """Return the shares of one of the user's collections.

        Raises:
            NotFound: when it does not exist or is another user's.
        """
        require_scope(current_user, Scope.FILES)
        async with self._database.begin(current_user.user_id) as session:
            await require_owned(session, current_user, collection_id)
            names = await rows.principal_names(session, collection_id)
            grants = await role_rows.all_grants(session, ResourceKind.COLLECTION)
        return [
            Share(grant_id, grant.principal_kind.value, grant.principal, shown_name(grant, names))
            for grant_id, grant in grants
            if grant.resource == str(collection_id)
        ]

    async def add(
        self, current_user: CurrentUser, collection_id: UUID, kind: str, principal: str, client_info: ClientInfo
    ) -> str:
        """Share a collection with a user (by address), a group (by id) or everyone. Returns the name to show.

        Raises:
            NotFound: when the collection does not exist or is another user's.
            InvalidInput: when no user has the address, or the user may not share with the group.
            TooManyAttempts: after too many.
        """
        require_scope(current_user, Scope.FILES)
        await attempt_to_share(self._rate_limits, current_user, kind, client_info)
        async with self._database.begin(current_user.user_id) as session:
            await require_owned(session, current_user, collection_id)
            for_whom, name = await find_principal(session, current_user, kind, principal)
            if for_whom == str(current_user.user_id):
                raise InvalidInput("This is your own collection.")
            given = Grant(PrincipalKind(kind), for_whom, ResourceKind.COLLECTION, str(collection_id), Action.READ)
            await role_rows.add_grant(session, new_id(), given, current_user.user_id)
            await record(
                session, current_user.user_id, "collection_shared", client_info,
                collection=str(collection_id), principal=f"{kind} {for_whom}",
            )  # fmt: skip
        self._access_invalidator.changed(None)
        return name

    async def remove(
        self, current_user: CurrentUser, collection_id: UUID, grant_id: UUID, client_info: ClientInfo
    ) -> None:
        """Revoke a share of a collection; open tabs are notified.

        Raises:
            NotFound: when the user has made no such share.
        """
        require_scope(current_user, Scope.FILES)
        async with self._database.begin(current_user.user_id) as session:
            await require_owned(session, current_user, collection_id)
            given = await role_rows.grant(session, grant_id)
            if given is None or given.resource != str(collection_id):
                raise NotFound
            await role_rows.remove_grant(session, grant_id)
            await record(
                session, current_user.user_id, "collection_unshared", client_info,
                collection=str(collection_id), principal=f"{given.principal_kind} {given.principal}",
            )  # fmt: skip
        self._access_invalidator.changed(None)

    async def groups(self, current_user: CurrentUser) -> list[tuple[str, str]]:
        """Return the groups that the user can share with: id and name."""
        require_scope(current_user, Scope.FILES)
        async with self._database.begin(current_user.user_id) as session:
            return [(str(group_id), name) for group_id, name in await shareable_groups(session, current_user)]


async def attempt_to_share(
    rate_limits: RateLimits, current_user: CurrentUser, kind: str, client_info: ClientInfo
) -> None:
    """Count that a user shares something of theirs.

    Raises:
        TooManyAttempts: after too many.
    """
    if kind == PrincipalKind.USER:
        # Without a limit it would be a directory of all accounts.
        await rate_limits.attempt(
            "share", client_info, str(current_user.user_id), counts_alone=True, allowance=_ADDRESSES
        )
    await rate_limits.attempt_to_share(current_user.user_id, client_info)


async def find_principal(
    session: rows.AsyncSession, current_user: CurrentUser, kind: str, principal: str
) -> tuple[str, str]:
    """Return the principal of a grant, and its name: of a user (by address), a group (by ID) or everyone.

    Raises:
        InvalidInput: when no user has the address, or the user may not share with the group.
    """
    principal = sanitize(principal).strip()
    if kind == PrincipalKind.EVERYONE:
        return "*", "Everyone"
    if kind == PrincipalKind.GROUP:
        groups = {str(group_id): name for group_id, name in await shareable_groups(session, current_user)}
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


async def shareable_groups(session: rows.AsyncSession, current_user: CurrentUser) -> list[tuple[UUID, str]]:
    """Return the groups that the user may share with."""
    found = await role_rows.groups(session)
    return [(row.id, row.name) for row, _ in found if may_share_with_group(current_user, str(row.id))]


def shown_name(grant: Grant, names: dict[str, str]) -> str:
    """Return the name of a grant's principal, by the names of those with whom something is shared."""
    return "Everyone" if grant.principal_kind is PrincipalKind.EVERYONE else names.get(grant.principal, grant.principal)
