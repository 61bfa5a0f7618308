"""Administration of users: invitations, suspension, roles, second factors, and reading conversations for a reason."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from rxchat.db.access import roles as role_rows
from rxchat.db.access import user_admin
from rxchat.db.access.user_admin import UserFacts
from rxchat.db.accounts import accounts as account_rows
from rxchat.db.accounts import one_time_links
from rxchat.db.accounts import sessions as session_rows
from rxchat.db.platform.database import Database
from rxchat.domain import mail
from rxchat.domain.accounts import ClientInfo, CurrentUser, valid_email
from rxchat.domain.authorization import require
from rxchat.domain.errors import Conflict, InvalidInput, NotAllowed, NotFound
from rxchat.domain.ids import new_id
from rxchat.domain.permissions import Permission, PrincipalKind
from rxchat.domain.rate_limits import RateLimit
from rxchat.domain.text import clean_line, sanitize
from rxchat.observability import correlation_id
from rxchat.services.access.grants import require_to_fill
from rxchat.services.accounts.one_time_links import LinkKind, OneTimeLinks
from rxchat.services.accounts.rate_limits import RateLimits
from rxchat.services.platform.access_invalidator import AccessInvalidator
from rxchat.services.platform.audit import record
from rxchat.services.platform.mail_sender import MailSender
from rxchat.tables import Group

PAGE = 50
_INVITATIONS = RateLimit(subject=50)
_SHORTEST_REASON = 10
_FEWEST_LETTERS, _FEWEST_DIFFERENT = 5, 3
"""The minimum for a reason: dots or a single repeated key are not a reason."""
_HANDED_OVER = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation that can still be accepted."""

    id: UUID
    email: str
    role: str
    expires_at: datetime
    is_mailed: bool


@dataclass(frozen=True, slots=True)
class SomebodysMessage:
    """A message of another user's conversation."""

    role: str
    text: str
    model: str
    at: datetime


class UserAdmin:
    """Use cases for the administration of users."""

    def __init__(
        self,
        database: Database,
        one_time_links: OneTimeLinks,
        mail_sender: MailSender,
        access_invalidator: AccessInvalidator,
        rate_limits: RateLimits,
        *,
        grace: timedelta = timedelta(days=7),
    ) -> None:
        """Store the services. `grace` is the time until a scheduled deletion."""
        self.grace = grace
        self._database = database
        self._one_time_links = one_time_links
        self._mail_sender = mail_sender
        self._access_invalidator = access_invalidator
        self._rate_limits = rate_limits

    async def page(
        self, current_user: CurrentUser, *, words: str = "", role: str = "", offset: int = 0
    ) -> tuple[list[UserFacts], int]:
        """Return one page of the users whose name or address contains the words, and the total number.

        Raises:
            NotAllowed: without the permission to see users.
        """
        require(current_user, Permission.USERS_READ)
        async with self._database.begin(current_user.user_id) as session:
            return await user_admin.page(
                session, words=sanitize(words).strip()[:100], role=sanitize(role), offset=max(0, offset), limit=PAGE
            )

    async def one(self, current_user: CurrentUser, user_id: UUID) -> tuple[UserFacts, list[Group]]:
        """Return a user with their groups.

        Raises:
            NotAllowed: without the permission to see users.
            NotFound: when there is no such user.
        """
        require(current_user, Permission.USERS_READ)
        async with self._database.begin(current_user.user_id) as session:
            found, _ = await user_admin.page(session, only=user_id)
            if not found:
                raise NotFound
            return found[0], await user_admin.groups_of(session, user_id)

    async def names(self, current_user: CurrentUser, user_ids: Collection[UUID]) -> dict[UUID, str]:
        """Return the names of users, as far as the current user may see them."""
        async with self._database.begin(current_user.user_id) as session:
            return await user_admin.names(session, user_ids)

    async def invite(
        self,
        current_user: CurrentUser,
        *,
        email: str,
        role: str,
        group_ids: Sequence[UUID] = (),
        client_info: ClientInfo,
    ) -> tuple[str, bool]:
        """Invite a user. Returns the link, and whether it was also sent by e-mail.

        An earlier invitation of the same address becomes invalid.

        Raises:
            Conflict: when the address already has an account.
            NotAllowed: without the permission to invite, or to give this role.
            InvalidInput: when the address or role is invalid.
            TooManyAttempts: after too many, since each says whether an address has an account.
        """
        require(current_user, Permission.USERS_INVITE)
        if group_ids:
            require(current_user, Permission.GROUPS_MANAGE)
        email = valid_email(email)
        await self._rate_limits.attempt(
            "invite", client_info, str(current_user.user_id), counts_alone=True, allowance=_INVITATIONS
        )
        async with self._database.begin(current_user.user_id) as session:
            await self._may_give(session, current_user, role)
            await require_to_fill(session, current_user, PrincipalKind.GROUP, [str(group) for group in group_ids])
            if await account_rows.find_by_email(session, email) is not None:
                raise Conflict(f"{email} already has an account.")
            await one_time_links.replace_invitations(session, email)
            link = await self._one_time_links.make(
                session, LinkKind.INVITATION, email=email, role=role, group_ids=group_ids,
                is_mailed=self._mail_sender.is_configured, created_by=current_user.user_id,
            )  # fmt: skip
            await record(session, current_user.user_id, "invited", client_info, email=email, role=role)
            await self._mail_sender.queue(
                session, mail.invitation(email, current_user.name, link, self._mail_sender.base_url)
            )
        return link, self._mail_sender.is_configured

    async def _may_give(self, session: user_admin.AsyncSession, current_user: CurrentUser, role: str) -> None:
        wanted = await role_rows.get(session, sanitize(role))
        if wanted is None:
            raise InvalidInput("This role does not exist.")
        if not set(wanted.permissions) <= {permission.value for permission in current_user.permissions}:
            raise NotAllowed("You can only grant permissions you have yourself, and this role has others.")
        if not wanted.is_builtin:
            await require_to_fill(session, current_user, PrincipalKind.ROLE, [wanted.name])

    async def invitations(self, current_user: CurrentUser) -> list[Invitation]:
        """Return the open invitations: those of the current user, or all.

        Raises:
            NotAllowed: without the permission to invite.
        """
        require(current_user, Permission.USERS_INVITE)
        async with self._database.begin(current_user.user_id) as session:
            found = await one_time_links.open_invitations(session)
        return [Invitation(row.id, row.email, row.role, row.expires_at, row.is_mailed) for row in found]

    async def take_back(self, current_user: CurrentUser, invitation_id: UUID, client_info: ClientInfo) -> None:
        """Revoke an invitation.

        Raises:
            NotAllowed: without the permission to invite.
            NotFound: when no such invitation is open.
        """
        require(current_user, Permission.USERS_INVITE)
        async with self._database.begin(current_user.user_id) as session:
            if not await one_time_links.remove(session, LinkKind.INVITATION, invitation_id):
                raise NotFound
            await record(
                session, current_user.user_id, "invitation_withdrawn", client_info,
                invitation=str(invitation_id),
            )  # fmt: skip

    async def set_role(self, current_user: CurrentUser, user_id: UUID, role: str, client_info: ClientInfo) -> None:
        """Change a user's role, which ends their sessions.

        Raises:
            NotAllowed: without the permission, or when the role gives or takes more than the current user has.
            NotFound: when the user does not exist.
            Conflict: when no administrator would remain.
        """
        require(current_user, Permission.USERS_MANAGE)
        async with self._database.begin(current_user.user_id) as session:
            await self._may_give(session, current_user, role)
            if not await user_admin.change(session, user_id, role=role, is_suspended=None):
                raise NotFound
            await record(
                session, current_user.user_id, "role_changed", client_info,
                user=str(user_id), role=role,
            )  # fmt: skip
        self._access_invalidator.changed(user_id)

    async def suspend(
        self, current_user: CurrentUser, user_id: UUID, client_info: ClientInfo, *, is_suspended: bool
    ) -> None:
        """Suspend a user, which ends their sessions, or reinstate them.

        Raises:
            NotAllowed: without the permission, for the current user, or for a user with more permissions.
            NotFound: when the user does not exist.
            Conflict: when no administrator would remain.
        """
        require(current_user, Permission.USERS_MANAGE)
        if user_id == current_user.user_id:
            raise NotAllowed("You cannot suspend yourself.")
        async with self._database.begin(current_user.user_id) as session:
            if not await user_admin.change(session, user_id, role=None, is_suspended=is_suspended):
                raise NotFound
            action = "suspended" if is_suspended else "readmitted"
            await record(session, current_user.user_id, action, client_info, user=str(user_id))
        self._access_invalidator.changed(user_id)

    async def delete_account(self, current_user: CurrentUser, user_id: UUID, client_info: ClientInfo) -> datetime:
        """Schedule the deletion of a user's account, which ends their sessions. Returns the time of the deletion.

        Until then the user can sign in to download their data, but cannot administer; an administrator can cancel the
        deletion.

        Raises:
            NotAllowed: without the permission, for the current user, or for a user with more permissions.
            NotFound: when the user does not exist.
            LastAdministrator: when no administrator would remain.
        """
        require(current_user, Permission.USERS_MANAGE)
        if user_id == current_user.user_id:
            raise NotAllowed("Delete your own account on your account page.")
        at = datetime.now(UTC) + self.grace
        async with self._database.begin(current_user.user_id) as session:
            # The advisory lock first, like the procedure: two administrators must lock in the same order.
            await account_rows.lock_administrators(session)
            await account_rows.require_reauthenticated(session, current_user)
            if not await user_admin.schedule_deletion(session, user_id, at):
                raise NotFound
            await record(
                session, current_user.user_id, "account_deletion_scheduled", client_info,
                user=str(user_id), at=at.isoformat(timespec="minutes"),
            )  # fmt: skip
        self._access_invalidator.changed(user_id)
        return at

    async def keep_account(self, current_user: CurrentUser, user_id: UUID, client_info: ClientInfo) -> None:
        """Cancel the deletion of an account that an administrator had scheduled.

        Raises:
            NotAllowed: without the permission, or for a user with more permissions.
            NotFound: when no administrator had scheduled it.
        """
        require(current_user, Permission.USERS_MANAGE)
        async with self._database.begin(current_user.user_id) as session:
            if not await user_admin.schedule_deletion(session, user_id, None):
                raise NotFound("No administrator has scheduled the deletion of this account.")
            await record(
                session, current_user.user_id, "account_deletion_canceled", client_info,
                user=str(user_id),
            )  # fmt: skip
        self._access_invalidator.changed(user_id)

    async def end_sessions(self, current_user: CurrentUser, user_id: UUID, client_info: ClientInfo) -> int:
        """End all sessions of a user. Returns their number.

        Raises:
            NotAllowed: without the permission, or for a user with more permissions.
            NotFound: when the user does not exist.
        """
        require(current_user, Permission.USERS_MANAGE)
        async with self._database.begin(current_user.user_id) as session:
            person = await user_admin.get(session, user_id)
            if person is None:
                raise NotFound
            await self._may_give(session, current_user, person.role)
            ended = await session_rows.end(session, user_id, reason="ended by an administrator")
            await record(
                session, current_user.user_id, "sessions_ended", client_info,
                user=str(user_id), count=ended,
            )  # fmt: skip
        self._access_invalidator.changed(user_id)
        return ended

    async def reset_second_factor(self, current_user: CurrentUser, user_id: UUID, client_info: ClientInfo) -> None:
        """Remove all second factors of a user who lost their phone and recovery codes.

        Raises:
            NotAllowed: without the permission, or for a user with more permissions.
            NotFound: when the user does not exist.
        """
        require(current_user, Permission.USERS_MANAGE)
        async with self._database.begin(current_user.user_id) as session:
            if not await user_admin.reset_second_factors(session, user_id):
                raise NotFound
            await record(
                session,
                current_user.user_id,
                "second_factor_reset",
                client_info,
                user=str(user_id),
            )
        self._access_invalidator.changed(user_id)

    async def reset_link(self, current_user: CurrentUser, user_id: UUID, client_info: ClientInfo) -> str:
        """Return a link for a user to choose a new password.

        Raises:
            NotAllowed: without the permission, or for a user with more permissions.
            NotFound: when the user does not exist.
        """
        require(current_user, Permission.USERS_MANAGE)
        async with self._database.begin(current_user.user_id) as session:
            person = await user_admin.get(session, user_id)
            if person is None:
                raise NotFound
            await self._may_give(session, current_user, person.role)
            link = await self._one_time_links.make(
                session, LinkKind.RESET, email=person.email, user_id=user_id, is_mailed=False,
                created_by=current_user.user_id, lifetime=_HANDED_OVER,
            )  # fmt: skip
            await record(
                session,
                current_user.user_id,
                "reset_link_made",
                client_info,
                user=str(user_id),
            )
        return link

    async def conversations_of(
        self, current_user: CurrentUser, user_id: UUID, reason: str, client_info: ClientInfo
    ) -> list[tuple[UUID, str, datetime]]:
        """Return a user's conversations; the audit log records the reason.

        Raises:
            NotAllowed: without the permission.
            InvalidInput: without a reason.
        """
        require(current_user, Permission.CONVERSATIONS_READ_ANY)
        reason = _valid_reason(reason)
        async with self._database.begin(current_user.user_id) as session:
            return await user_admin.admin_list_conversations(
                session, user_id, reason, client_info.address, correlation_id(), new_id()
            )

    async def read_conversation(
        self, current_user: CurrentUser, conversation_id: UUID, reason: str, client_info: ClientInfo
    ) -> list[SomebodysMessage]:
        """Return the messages of another user's conversation; the audit log records the reason.

        Raises:
            NotAllowed: without the permission.
            InvalidInput: without a reason.
            NotFound: when there is no such conversation.
        """
        require(current_user, Permission.CONVERSATIONS_READ_ANY)
        reason = _valid_reason(reason)
        async with self._database.begin(current_user.user_id) as session:
            found = await user_admin.admin_read_conversation(
                session, conversation_id, reason, client_info.address, correlation_id(), new_id()
            )
        if not found:
            raise NotFound
        return [SomebodysMessage(*row) for row in found]


def _valid_reason(reason: str) -> str:
    reason = clean_line(reason)[:500]
    letters = [it for it in reason.casefold() if it.isalpha()]
    if len(reason) < _SHORTEST_REASON or len(letters) < _FEWEST_LETTERS or len(set(letters)) < _FEWEST_DIFFERENT:
        raise InvalidInput("Enter the reason in a sentence. The audit log records it.", field="reason")
    return reason
