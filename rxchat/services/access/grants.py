"""Grants: which user, role or group may use which resource."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from rxchat.db.access import roles as rows
from rxchat.db.chat import conversations as conversation_rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.authorization import is_allowed, is_permitted, may_share_with_group, require, require_scope
from rxchat.domain.errors import InvalidInput, NotAllowed, NotFound
from rxchat.domain.ids import new_id, parse_id
from rxchat.domain.permissions import Action, Grant, Permission, PrincipalKind, Resource, ResourceKind, Scope
from rxchat.domain.text import sanitize
from rxchat.services.accounts.rate_limits import RateLimits
from rxchat.services.platform.access_invalidator import AccessInvalidator
from rxchat.services.platform.audit import record

_NAMED_BY_ID = frozenset(
    {ResourceKind.CONVERSATION, ResourceKind.COLLECTION, ResourceKind.PROMPT, ResourceKind.ASSISTANT}
)


class Grants:
    """Use cases for grants."""

    def __init__(self, database: Database, access_invalidator: AccessInvalidator, rate_limits: RateLimits) -> None:
        self._database = database
        self._access_invalidator = access_invalidator
        self._rate_limits = rate_limits

    async def all(self, current_user: CurrentUser, kind: ResourceKind | None = None) -> list[tuple[UUID, Grant]]:
        """Return all grants.

        Raises:
            NotAllowed: without the permission to manage grants.
        """
        require(current_user, Permission.GRANTS_MANAGE)
        async with self._database.begin(current_user.user_id) as session:
            return await rows.all_grants(session, kind)

    async def add(
        self, current_user: CurrentUser, *, principal_kind: str, principal: str, resource_kind: str, resource: str, action: str,
        client_info: ClientInfo,
    ) -> None:  # fmt: skip
        """Add a grant. The owner of a conversation may share it; all other grants need the permission to manage grants.

        Raises:
            NotAllowed: without the right to grant it, or to this group or role.
            InvalidInput: when the grant is invalid.
            TooManyAttempts: after too many grants.
        """
        given = _valid_grant(principal_kind, principal, resource_kind, resource, action)
        if not is_permitted(current_user, Permission.GRANTS_MANAGE):
            await self._rate_limits.attempt_to_share(current_user.user_id, client_info)
            _require_principal(current_user, given)
        async with self._database.begin(current_user.user_id) as session:
            await self._require_to_give(session, current_user, given)
            await rows.add_grant(session, new_id(), given, current_user.user_id)
            await record(session, current_user.user_id, "granted", client_info, grant=_facts_of(given))
        self._access_invalidator.changed(None)

    async def revoke(self, current_user: CurrentUser, grant_id: UUID, client_info: ClientInfo) -> None:
        """Revoke a grant.

        Raises:
            NotFound: when no grant exists that the user may revoke.
        """
        async with self._database.begin(current_user.user_id) as session:
            given = await rows.grant(session, grant_id)
            if given is None:
                raise NotFound
            await self._require_to_give(session, current_user, given)
            if not await rows.remove_grant(session, grant_id):
                raise NotFound
            await record(
                session,
                current_user.user_id,
                "grant_revoked",
                client_info,
                grant=_facts_of(given),
            )
        self._access_invalidator.changed(None)

    async def _require_to_give(self, session: rows.AsyncSession, current_user: CurrentUser, given: Grant) -> None:
        conversation_id = parse_id(given.resource) if given.resource_kind is ResourceKind.CONVERSATION else None
        if conversation_id is None:
            require(current_user, Permission.GRANTS_MANAGE)
            return
        require_scope(current_user, Scope.CHAT)
        if await conversation_rows.get_owned_or_deleted(session, current_user.user_id, conversation_id) is None:
            # Reading another user's conversation requires a recorded reason; a grant would circumvent that.
            raise NotAllowed

    async def usable(
        self, current_user: CurrentUser, kind: ResourceKind, action: Action, resources: Sequence[str]
    ) -> frozenset[str]:
        """Return the resources for which the user's role or grants allow an action."""
        if all(is_allowed(current_user, action, Resource(kind, name)) for name in resources):
            return frozenset(resources)
        async with self._database.begin(current_user.user_id) as session:
            grants = await rows.grants_on(session, kind, resources)
        return frozenset(name for name in resources if is_allowed(current_user, action, Resource(kind, name), grants))

    async def require_model(self, current_user: CurrentUser, model: str) -> None:
        """Require that the user may use a model; none at all is left to others to refuse.

        Raises:
            NotAllowed: when the user's role and grants do not allow it.
        """
        if model and model not in await self.usable(current_user, ResourceKind.MODEL, Action.USE, [model]):
            raise NotAllowed("You may not use this model. Choose another one, or ask an administrator for it.")


async def require_to_fill(
    session: rows.AsyncSession, current_user: CurrentUser, kind: PrincipalKind, principals: Sequence[str]
) -> None:
    """Require that the user may add members to these groups or roles, who then get their grants.

    Otherwise a user could invite a second account of their own into them.

    Raises:
        NotAllowed: when one of them has grants, and the user may not give grants.
    """
    if Permission.GRANTS_MANAGE not in current_user.permissions and await rows.has_grants(session, kind, principals):
        raise NotAllowed(
            "Things were shared with this group or role, so only users who may share them can add members."
        )


def _require_principal(current_user: CurrentUser, given: Grant) -> None:
    """Require that the user may share with this group or role; afterwards only users who may grant can add members.

    Raises:
        NotAllowed: for a group that the user is not in, and for every role.
    """
    match given.principal_kind:
        case PrincipalKind.USER | PrincipalKind.EVERYONE:
            return
        case PrincipalKind.GROUP:
            if may_share_with_group(current_user, given.principal):
                return
            raise NotAllowed("You can share only with groups that you are a member of.")
        case PrincipalKind.ROLE:
            raise NotAllowed("Only users who may give grants can share with a role.")


def _valid_grant(principal_kind: str, principal: str, resource_kind: str, resource: str, action: str) -> Grant:
    try:
        given = Grant(
            PrincipalKind(principal_kind), sanitize(principal)[:200], ResourceKind(resource_kind),
            sanitize(resource)[:300], Action(action),
        )  # fmt: skip
    except ValueError as error:
        raise InvalidInput("This grant does not exist.") from error
    if given.principal_kind in {PrincipalKind.USER, PrincipalKind.GROUP}:
        given = replace(given, principal=_id_as_stored(given.principal))
    is_each = given.resource == "*" and given.resource_kind is ResourceKind.COLLECTION
    if given.resource_kind in _NAMED_BY_ID and not is_each:
        given = replace(given, resource=_id_as_stored(given.resource))
    if not given.principal or not given.resource:
        raise InvalidInput("Choose for whom the grant is, and for what.")
    return given


def _id_as_stored(value: str) -> str:
    """Return an id as the database stores it; "" if it is invalid."""
    return str(parse_id(value) or "")


def _facts_of(grant: Grant) -> dict[str, str]:
    return {
        "principal": f"{grant.principal_kind} {grant.principal}",
        "resource": f"{grant.resource_kind} {grant.resource}",
        "action": grant.action,
    }
