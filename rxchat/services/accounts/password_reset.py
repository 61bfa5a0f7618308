"""Changing a password, and resetting a forgotten one."""

from __future__ import annotations

from uuid import UUID

from rxchat.db.accounts import accounts as rows
from rxchat.db.accounts import credentials
from rxchat.db.accounts import sessions as session_rows
from rxchat.db.platform.database import Database
from rxchat.domain import mail
from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.audit_actions import AuditAction
from rxchat.domain.email_addresses import email_key
from rxchat.domain.errors import DatabaseUnavailable, NotAllowed
from rxchat.services.accounts.one_time_links import LinkKind, OneTimeLinks
from rxchat.services.accounts.passwords import Passwords
from rxchat.services.accounts.rate_limits import RateLimits
from rxchat.services.accounts.registration import OLD_LINK, checked_password
from rxchat.services.accounts.sign_in import SignIn
from rxchat.services.platform.access_invalidator import AccessInvalidator
from rxchat.services.platform.audit import record
from rxchat.services.platform.mail_sender import MailSender


class PasswordReset:
    """Use cases for a user's own password. Each ends all other sessions and API keys."""

    def __init__(
        self,
        database: Database,
        passwords: Passwords,
        rate_limits: RateLimits,
        one_time_links: OneTimeLinks,
        mail_sender: MailSender,
        access_invalidator: AccessInvalidator,
        sign_in: SignIn,
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._rate_limits = rate_limits
        self._one_time_links = one_time_links
        self._mail_sender = mail_sender
        self._access_invalidator = access_invalidator
        self._sign_in = sign_in

    async def change(self, current_user: CurrentUser, *, present: str, wanted: str, client_info: ClientInfo) -> None:
        """Change the user's password; the current session continues, all others end.

        Raises:
            NotAllowed: when the current password is wrong.
            InvalidInput: when the new password is invalid.
        """
        checked_password(wanted, email=current_user.email, name=current_user.name)
        await self._sign_in.reauthenticate(current_user, present, client_info)
        await self._set(current_user.user_id, wanted, client_info, "password_changed", current_user=current_user)

    async def request_reset(self, email: str, client_info: ClientInfo) -> None:
        """Send a link for a new password if the account exists; the response does not reveal whether it does.

        Raises:
            TooManyAttempts: after too many requests.
        """
        email = email.strip()[:254].replace("\x00", "")
        async with self._database.begin(None) as session:
            account = await rows.find_by_email(session, email)
        await self._rate_limits.attempt("forget", client_info, str(account.id) if account else email_key(email))
        self._mail_sender.run_in_background(self._send_reset(account, client_info))

    async def _send_reset(self, account: rows.Account | None, client_info: ClientInfo) -> None:
        if account is None or account.is_suspended or not self._mail_sender.is_configured:
            return
        try:
            async with self._database.begin(account.id) as session:
                link = await self._one_time_links.make(
                    session, LinkKind.RESET, email=account.email, user_id=account.id, is_mailed=True
                )
                await record(session, account.id, "reset_requested", client_info)
                await self._mail_sender.queue(session, mail.reset(account.email, link, self._mail_sender.base_url))
        except DatabaseUnavailable:
            return

    async def reset(self, token: str, wanted: str, client_info: ClientInfo) -> None:
        """Set a new password with a link. The second factor stays, and the user signs in afterwards as usual.

        Raises:
            NotAllowed: when the link is not valid.
            InvalidInput: when the new password is invalid.
        """
        await self._rate_limits.attempt("link", client_info)
        async with self._database.begin(None) as session:
            link = await self._one_time_links.peek(session, LinkKind.RESET, token)
        if link is None or link.user_id is None:
            raise NotAllowed(OLD_LINK)
        async with self._database.begin(link.user_id) as session:
            user = await rows.get_own(session, link.user_id)
        checked_password(wanted, email=link.email, name=user.name if user else "")
        await self._set(link.user_id, wanted, client_info, "password_reset", token=token)
        await self._rate_limits.refund("link", client_info)

    async def _set(
        self,
        user_id: UUID,
        wanted: str,
        client_info: ClientInfo,
        action: AuditAction,
        *,
        current_user: CurrentUser | None = None,
        token: str = "",
    ) -> None:
        hashed = await self._passwords.hash(wanted)
        keeping = current_user.session_id if current_user else None
        async with self._database.begin(user_id) as session:
            # First of all: other changes that depend on the password wait for this lock, or are ended below.
            if current_user:
                await rows.require_reauthenticated(session, current_user)
            else:
                await rows.lock_own(session, user_id)
            if token:
                # Consumed in the same transaction as the change.
                link = await self._one_time_links.consume(session, LinkKind.RESET, token)
                if link is None:
                    raise NotAllowed(OLD_LINK)
                if link.is_mailed:
                    await rows.confirm_email(session, user_id)
            await rows.set_password_hash(session, user_id, hashed)
            ended = await session_rows.end(session, user_id, but=keeping, reason=action)
            if keeping is not None:
                await session_rows.rotate_soon(session, user_id, keeping)
            revoked = await session_rows.revoke_keys(session, user_id)
            await self._one_time_links.remove_all(session, LinkKind.RESET, user_id)
            await credentials.remove_unconfirmed_totp(session, user_id)
            user = await rows.get_own(session, user_id)
            await record(
                session,
                user_id,
                action,
                client_info,
                sessions_ended=ended,
                keys_revoked=revoked,
            )
            if user is not None:
                await self._mail_sender.queue(session, mail.password_changed(user.email, self._mail_sender.base_url))
        self._access_invalidator.changed(user_id)
