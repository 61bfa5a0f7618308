"""Looking after people: inviting, suspending, roles, lost second factors, and reading what they wrote for a reason."""

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
from rxchat.domain.errors import Conflict, InvalidInput, NotAllowed, NotFound
from rxchat.domain.ids import new_id
from rxchat.domain.permissions import Permission, PrincipalKind, require
from rxchat.domain.text import clean_line, sanitize
from rxchat.observability import correlation_id
from rxchat.services.access.grants import require_to_fill
from rxchat.services.accounts.one_time_links import LinkKind, OneTimeLinks
from rxchat.services.platform.audit import record
from rxchat.services.platform.change_feeds import AccessInvalidator
from rxchat.services.platform.mail_sender import MailSender
from rxchat.tables import Group

PAGE = 50
_SHORTEST_REASON = 10
_FEWEST_LETTERS, _FEWEST_DIFFERENT = 5, 3
"""Of a reason: dots, or one key that was held down, are none."""
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
    """A message of somebody's conversation, as it is read for a reason."""

    role: str
    text: str
    model: str
    at: datetime


class UserAdmin:
    """The use cases of those who look after people."""

    def __init__(
        self,
        database: Database,
        one_time_links: OneTimeLinks,
        mail_sender: MailSender,
        access_invalidator: AccessInvalidator,
        *,
        grace: timedelta = timedelta(days=7),
    ) -> None:
        """Know where truth lives and who does what; an account is deleted after the grace time."""
        self.grace = grace
        self._database = database
        self._one_time_links = one_time_links
        self._mail_sender = mail_sender
        self._access_invalidator = access_invalidator

    async def page(
        self, current_user: CurrentUser, *, words: str = "", role: str = "", offset: int = 0
    ) -> tuple[list[UserFacts], int]:
        """Return one page of the people whose name or address holds the words, and how many there are in all.

        Raises:
            NotAllowed: without the permission to see people.
        """
        require(current_user, Permission.USERS_READ)
        async with self._database.begin(current_user.user_id) as session:
            return await user_admin.page(
                session, words=sanitize(words).strip()[:100], role=sanitize(role), offset=max(0, offset), limit=PAGE
            )

    async def one(self, current_user: CurrentUser, user_id: UUID) -> tuple[UserFacts, list[Group]]:
        """Return a person, and the groups that they are in.

        Raises:
            NotAllowed: without the permission to see people.
            NotFound: when there is no such person.
        """
        require(current_user, Permission.USERS_READ)
        async with self._database.begin(current_user.user_id) as session:
            found, _ = await user_admin.page(session, only=user_id)
            if not found:
                raise NotFound
            return found[0], await user_admin.groups_of(session, user_id)

    async def names(self, current_user: CurrentUser, user_ids: Collection[UUID]) -> dict[UUID, str]:
        """Return what people are called, as far as one may know: for lists that hold ids."""
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
        """Invite somebody; return the link, to hand over, and whether it was mailed, too.

        An earlier invitation of the same address does not work any more then.

        Raises:
            Conflict: when the address has an account already.
            NotAllowed: without the permission to invite, or to give this role.
            InvalidInput: when it is no address, or there is no such role.
        """
        require(current_user, Permission.USERS_INVITE)
        if group_ids:
            require(current_user, Permission.GROUPS_MANAGE)
        email = valid_email(email)
        async with self._database.begin(current_user.user_id) as session:
            await self._may_give(session, current_user, role)
            await require_to_fill(session, current_user, PrincipalKind.GROUP, [str(group) for group in group_ids])
            if await account_rows.find_by_email(session, email) is not None:
                raise Conflict(f"{email} has an account here already.")
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
            raise InvalidInput("There is no such role.")
        if not set(wanted.permissions) <= {permission.value for permission in current_user.permissions}:
            raise NotAllowed(
                "You can only grant permissions you have yourself: this role may do things that yours may not."
            )
        if not wanted.is_builtin:
            await require_to_fill(session, current_user, PrincipalKind.ROLE, [wanted.name])

    async def invitations(self, current_user: CurrentUser) -> list[Invitation]:
        """Return the invitations that can still be accepted: one's own, or all of them.

        Raises:
            NotAllowed: without the permission to invite.
        """
        require(current_user, Permission.USERS_INVITE)
        async with self._database.begin(current_user.user_id) as session:
            found = await one_time_links.open_invitations(session)
        return [Invitation(row.id, row.email, row.role, row.expires_at, row.is_mailed) for row in found]

    async def take_back(self, current_user: CurrentUser, invitation_id: UUID, client_info: ClientInfo) -> None:
        """Take an invitation back.

        Raises:
            NotAllowed: without the permission to invite.
            NotFound: when there is none that could be accepted.
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
        """Give a person another role; whatever they had open ends.

        Raises:
            NotAllowed: without the permission, or when more would be given or taken than one has.
            NotFound: when there is no such person.
            Conflict: when nobody would administer any more.
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
        """Suspend a person, which ends whatever they had open, or let them in again.

        Raises:
            NotAllowed: without the permission, for oneself, or for somebody who may do more.
            NotFound: when there is no such person.
            Conflict: when nobody would administer any more.
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
        """Have a person's account deleted after the grace time, and return when that is; what they have open ends.

        Until then they can sign in, to take their data along, but administer nothing; an administrator can keep the account
        after all.

        Raises:
            NotAllowed: without the permission, for oneself, or for somebody who may do more.
            NotFound: when there is no such person.
            LastAdministrator: when nobody would administer any more.
        """
        require(current_user, Permission.USERS_MANAGE)
        if user_id == current_user.user_id:
            raise NotAllowed("Your own account is deleted on your account page.")
        at = datetime.now(UTC) + self.grace
        async with self._database.begin(current_user.user_id) as session:
            # The advisory lock first, as the procedure takes it: two administrators wait for each other.
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
        """Keep a person's account after all, whose deletion an administrator had scheduled.

        Raises:
            NotAllowed: without the permission, or for somebody who may do more.
            NotFound: when no administrator had.
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
        """End everything that a person has open; return how many sign-ins it was.

        Raises:
            NotAllowed: without the permission, or for somebody who may do more.
            NotFound: when there is no such person.
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
        """Take a person's second factors away, for when the phone is lost and the recovery codes, too.

        Raises:
            NotAllowed: without the permission, or for somebody who may do more.
            NotFound: when there is no such person.
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
        """Return a link with which a person chooses a new password, to hand over where there is no mail.

        Raises:
            NotAllowed: without the permission, or for somebody who may do more.
            NotFound: when there is no such person.
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
        """Return a person's conversations, for a reason that goes into the audit.

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
        """Return what was said in somebody's conversation, for a reason that goes into the audit.

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
        raise InvalidInput("Please say in a sentence why this has to be read; it is kept in the audit.")
    return reason
