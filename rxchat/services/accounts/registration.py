"""Creating accounts: the first administrator, invitations, and open registration."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import structlog

from rxchat.db.accounts import accounts as rows
from rxchat.db.platform.database import Database
from rxchat.domain import mail
from rxchat.domain.accounts import ClientInfo, RegistrationMode, valid_email, valid_name, valid_password
from rxchat.domain.email_addresses import email_key
from rxchat.domain.errors import Conflict, DatabaseUnavailable, InvalidInput, NotAllowed, NotSignedIn
from rxchat.domain.ids import new_id, parse_id
from rxchat.services.accounts.breached_passwords import is_breached
from rxchat.services.accounts.one_time_links import LinkKind, OneTimeLinks
from rxchat.services.accounts.passwords import Passwords
from rxchat.services.accounts.rate_limits import RateLimits
from rxchat.services.accounts.sign_in import SignIn, SignInResult
from rxchat.services.platform.audit import record
from rxchat.services.platform.instance_settings import InstanceSettings
from rxchat.services.platform.mail_sender import MailSender
from rxchat.services.platform.session_tokens import SessionTokens

log = structlog.get_logger(__name__)

OLD_LINK = "This link is no longer valid. Ask for a new one."


@dataclass(frozen=True, slots=True)
class SignInOffer:
    """The options of the sign-in page."""

    registration: RegistrationMode
    has_mail: bool
    is_set_up: bool
    """Whether there is an account; assumed while the database does not respond."""


def checked_password(password: str, *, email: str, name: str) -> str:
    """Return a new password unchanged.

    Raises:
        InvalidInput: when it is too short, too long, similar to the user's name or address, or breached.
    """
    valid_password(password, email=email, name=name)
    if is_breached(password):
        raise InvalidInput("This password appears in lists of stolen passwords. Choose another one.")
    return password


class Registration:
    """Use cases for creating accounts."""

    def __init__(
        self,
        database: Database,
        passwords: Passwords,
        tokens: SessionTokens,
        rate_limits: RateLimits,
        one_time_links: OneTimeLinks,
        instance_settings: InstanceSettings,
        mail_sender: MailSender,
        sign_in: SignIn,
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._tokens = tokens
        self._rate_limits = rate_limits
        self._one_time_links = one_time_links
        self._instance_settings = instance_settings
        self._mail_sender = mail_sender
        self._sign_in = sign_in

    async def offer(self) -> SignInOffer:
        """Return the options of the sign-in page."""
        instance_settings = await self._instance_settings.current()
        try:
            async with self._database.begin(None) as session:
                is_set_up = await rows.has_accounts(session)
        except DatabaseUnavailable:
            is_set_up = True
        return SignInOffer(instance_settings.registration, self._mail_sender.is_configured, is_set_up)

    async def setup_token(self) -> str | None:
        """Return the token of the link for the first administrator; None once an account exists."""
        async with self._database.begin(None) as session:
            return None if await rows.has_accounts(session) else self._tokens.setup()

    async def create_first_administrator(
        self, token: str, *, name: str, email: str, password: str, client_info: ClientInfo
    ) -> SignInResult:
        """Create the first account and sign it in.

        Raises:
            NotAllowed: when the link is invalid or expired.
            InvalidInput: when name, address or password are invalid.
            Conflict: when an account already exists.
        """
        await self._rate_limits.attempt("setup", client_info)
        self._check_setup(token)
        name, email = valid_name(name), valid_email(email)
        hashed = await self._passwords.hash(checked_password(password, email=email, name=name))
        user_id = new_id()
        async with self._database.begin(user_id) as session:
            created = await rows.create_first_administrator(
                session, user_id, email=email, name=name, password_hash=hashed
            )
            if not created:
                raise Conflict("An administrator already exists. Sign in.")
            await record(session, user_id, "first_administrator_created", client_info)
        log.info("the first administrator was created", user_id=str(user_id))
        return await self._enter(user_id, client_info)

    async def _enter(self, user_id: UUID, client_info: ClientInfo) -> SignInResult:
        async with self._database.begin(user_id) as session:
            user = await rows.get_own(session, user_id)
            account = await rows.find_by_email(session, user.email) if user else None
        if account is None:
            raise NotSignedIn
        return await self._sign_in.admit(account, client_info, method="password")

    async def register(self, *, name: str, email: str, password: str, client_info: ClientInfo) -> SignInResult | None:
        """Create an account by open registration and sign it in; None if a link has to confirm the address first.

        With a mail server, the response is the same if the address already has an account, and its owner gets an
        e-mail. Without one, nothing else could inform the owner.

        Raises:
            Conflict: without a mail server, when the address already has an account.
            NotAllowed: when registration needs an invitation.
            InvalidInput: when name, address or password are invalid.
            TooManyAttempts: after too many attempts.
        """
        instance_settings = await self._instance_settings.current()
        if instance_settings.registration is not RegistrationMode.OPEN:
            raise NotAllowed("Accounts are created by invitation. Ask an administrator for one.")
        name, email = valid_name(name), valid_email(email)
        password = checked_password(password, email=email, name=name)
        await self._rate_limits.attempt("register", client_info, email_key(email))
        hashed = await self._passwords.hash(password)
        user_id = new_id()
        is_confirmed = not self._mail_sender.is_configured
        async with self._database.begin(user_id) as session:
            created = await rows.create(
                session, user_id, email=email, name=name, role=instance_settings.default_role,
                password_hash=hashed, is_confirmed=is_confirmed,
            )  # fmt: skip
            action = "registered" if created else "registration_refused"
            await record(session, user_id if created else None, action, client_info)
            link = None
            if created and not is_confirmed:
                link = await self._one_time_links.make(
                    session, LinkKind.CONFIRMATION, email=email, user_id=user_id, is_mailed=True
                )
            base = self._mail_sender.base_url
            letter = mail.confirmation(email, link, base) if link else mail.registered_already(email, base)
            await self._mail_sender.queue(session, letter)
        if not is_confirmed:
            return None
        if not created:
            raise Conflict("An account with this e-mail address already exists. Sign in, or ask an administrator.")
        return await self._enter(user_id, client_info)

    async def confirm(self, token: str, client_info: ClientInfo) -> None:
        """Confirm the address of an account with a link.

        Raises:
            NotAllowed: when the link is not valid.
        """
        await self._rate_limits.attempt("link", client_info)
        async with self._database.begin(None) as session:
            link = await self._one_time_links.peek(session, LinkKind.CONFIRMATION, token)
        if link is None or link.user_id is None:
            raise NotAllowed(OLD_LINK)
        async with self._database.begin(link.user_id) as session:
            if await self._one_time_links.consume(session, LinkKind.CONFIRMATION, token) is None:
                raise NotAllowed(OLD_LINK)
            await rows.confirm_email(session, link.user_id)
            await record(session, link.user_id, "email_confirmed", client_info)
        await self._rate_limits.refund("link", client_info)

    async def check_link(self, kind: str, token: str, client_info: ClientInfo) -> None:
        """Check that a link is valid, before its page is filled in.

        Raises:
            NotAllowed: when it is not.
        """
        await self._rate_limits.attempt("link", client_info)
        if kind == "setup":
            self._check_setup(token)
            if await self.setup_token() is None:
                raise NotAllowed("An administrator already exists. Sign in.")
        else:
            async with self._database.begin(None) as session:
                link = await self._one_time_links.peek(session, LinkKind(kind), token)
            if link is None:
                raise NotAllowed(OLD_LINK)
        await self._rate_limits.refund("link", client_info)

    def _check_setup(self, token: str) -> None:
        try:
            self._tokens.check_setup(token)
        except NotSignedIn as error:
            raise NotAllowed(
                "This link is no longer valid. Restart RxChat: it prints a new link until the first account is created."
            ) from error

    async def get_invitation(self, token: str, client_info: ClientInfo) -> str:
        """Return the address that an invitation is for.

        Raises:
            NotAllowed: when the link is not valid.
        """
        await self._require_not_closed()
        await self._rate_limits.attempt("link", client_info)
        async with self._database.begin(None) as session:
            link = await self._one_time_links.peek(session, LinkKind.INVITATION, token)
        if link is None:
            raise NotAllowed(OLD_LINK)
        await self._rate_limits.refund("link", client_info)
        return link.email

    async def accept_invitation(self, token: str, *, name: str, password: str, client_info: ClientInfo) -> SignInResult:
        """Accept an invitation: create the account and sign it in.

        Raises:
            NotAllowed: when the link is not valid, or registration is closed.
            InvalidInput: when name or password are invalid.
        """
        await self._require_not_closed()
        name = valid_name(name)
        email = await self.get_invitation(token, client_info)
        password = checked_password(password, email=email, name=name)
        await self._rate_limits.attempt("link", client_info)
        hashed = await self._passwords.hash(password)
        user_id = new_id()
        async with self._database.begin(user_id) as session:
            link = await self._one_time_links.consume(session, LinkKind.INVITATION, token)
            if link is None:
                raise NotAllowed(OLD_LINK)
            created = await rows.create(
                session, user_id, email=link.email, name=name, role=link.role, password_hash=hashed,
                # An invitation by an administrator confirms the address.
                is_confirmed=True, group_ids=[group for item in link.group_ids if (group := parse_id(item))],
            )  # fmt: skip
            if not created:
                raise NotAllowed(OLD_LINK)
            await record(session, user_id, "joined", client_info, invited_by=str(link.created_by))
        await self._rate_limits.refund("link", client_info)
        return await self._enter(user_id, client_info)

    async def _require_not_closed(self) -> None:
        if (await self._instance_settings.current()).registration is RegistrationMode.CLOSED:
            raise NotAllowed("New accounts cannot be created at the moment. Ask an administrator.")
