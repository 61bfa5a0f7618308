"""Sharing of a user's prompts with other users, groups or everyone: to use them, or to change them, too."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from rxchat.db.access import roles as role_rows
from rxchat.db.chat import prompts as rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.authorization import require_scope
from rxchat.domain.errors import InvalidInput, NotAllowed, NotFound
from rxchat.domain.ids import new_id
from rxchat.domain.permissions import Action, Grant, Permission, PrincipalKind, ResourceKind, Scope
from rxchat.services.accounts.rate_limits import RateLimits
from rxchat.services.chat.prompts import require_owned
from rxchat.services.documents.collection_shares import attempt_to_share, find_principal, shareable_groups, shown_name
from rxchat.services.platform.access_invalidator import AccessInvalidator
from rxchat.services.platform.audit import record


@dataclass(frozen=True, slots=True)
class PromptShare:
    """A share of a prompt."""

    grant_id: UUID
    principal_kind: str
    principal: str
    name: str
    may_write: bool


class PromptShares:
    """Use cases for sharing the user's own prompts."""

    def __init__(self, database: Database, access_invalidator: AccessInvalidator, rate_limits: RateLimits) -> None:
        self._database = database
        self._access_invalidator = access_invalidator
        self._rate_limits = rate_limits

    async def of_prompt(self, current_user: CurrentUser, prompt_id: UUID) -> list[PromptShare]:
        """Return the shares of one of the user's prompts.

        Raises:
            NotFound: when it does not exist or is another user's.
        """
        require_scope(current_user, Scope.CHAT)
        async with self._database.begin(current_user.user_id) as session:
            await require_owned(session, current_user, prompt_id)
            names = await rows.principal_names(session, prompt_id)
            grants = await _grants(session, prompt_id)
        return [
            PromptShare(
                grant_id, grant.principal_kind.value, grant.principal, shown_name(grant, names), grant.action is Action.WRITE
            )
            for grant_id, grant in grants
        ]  # fmt: skip

    async def add(
        self, current_user: CurrentUser, prompt_id: UUID, kind: str, principal: str, *, may_write: bool,
        client_info: ClientInfo,
    ) -> str:  # fmt: skip
        """Share a prompt with a user (by address), a group (by ID) or everyone, or change how it is shared with them.

        Returns the name to show.

        Raises:
            NotFound: when the prompt does not exist or is another user's.
            NotAllowed: when the user's role may not share.
            InvalidInput: when no user has the address, or the user may not share with the group.
            TooManyAttempts: after too many.
        """
        require_scope(current_user, Scope.CHAT)
        if Permission.COLLECTIONS_CREATE not in current_user.permissions:
            raise NotAllowed("Your role does not allow sharing.")
        await attempt_to_share(self._rate_limits, current_user, kind, client_info)
        async with self._database.begin(current_user.user_id) as session:
            await require_owned(session, current_user, prompt_id)
            for_whom, name = await find_principal(session, current_user, kind, principal)
            if for_whom == str(current_user.user_id):
                raise InvalidInput("This is your own prompt.")
            action = Action.WRITE if may_write else Action.READ
            given = Grant(PrincipalKind(kind), for_whom, ResourceKind.PROMPT, str(prompt_id), action)
            for grant_id, old in await _grants(session, prompt_id):
                if (old.principal_kind, old.principal) == (given.principal_kind, given.principal) and old != given:
                    await role_rows.remove_grant(session, grant_id)
            await role_rows.add_grant(session, new_id(), given, current_user.user_id)
            await record(
                session, current_user.user_id, "prompt_shared", client_info,
                prompt=str(prompt_id), principal=f"{kind} {for_whom}", access="change" if may_write else "use",
            )  # fmt: skip
        self._access_invalidator.changed(None)
        return name

    async def remove(self, current_user: CurrentUser, prompt_id: UUID, grant_id: UUID, client_info: ClientInfo) -> None:
        """Revoke a share of a prompt; open tabs are notified.

        Raises:
            NotFound: when the user has made no such share.
        """
        require_scope(current_user, Scope.CHAT)
        async with self._database.begin(current_user.user_id) as session:
            await require_owned(session, current_user, prompt_id)
            given = dict(await _grants(session, prompt_id)).get(grant_id)
            if given is None or not await role_rows.remove_grant(session, grant_id):
                raise NotFound
            await record(
                session, current_user.user_id, "prompt_unshared", client_info,
                prompt=str(prompt_id), principal=f"{given.principal_kind} {given.principal}",
            )  # fmt: skip
        self._access_invalidator.changed(None)

    async def groups(self, current_user: CurrentUser) -> list[tuple[str, str]]:
        """Return the groups that the user can share with: ID and name."""
        require_scope(current_user, Scope.CHAT)
        async with self._database.begin(current_user.user_id) as session:
            return [(str(group_id), name) for group_id, name in await shareable_groups(session, current_user)]


async def _grants(session: rows.AsyncSession, prompt_id: UUID) -> list[tuple[UUID, Grant]]:
    found = await role_rows.all_grants(session, ResourceKind.PROMPT)
    return [(grant_id, grant) for grant_id, grant in found if grant.resource == str(prompt_id)]
