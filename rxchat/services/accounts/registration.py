"""How accounts come about: the first administrator, an invitation, or by oneself where that is open."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import structlog

from rxchat.db.accounts import accounts as rows
from rxchat.db.platform.database import Database
from rxchat.domain import mail
from rxchat.domain.accounts import ClientInfo, RegistrationMode, valid_email, valid_name, valid_password
from rxchat.domain.email_addresses import email_key
from rxchat.domain.errors import Conflict, InvalidInput, NotAllowed, NotSignedIn
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

OLD_LINK = "This link is not valid (any more). Please ask for a new one."


@dataclass(frozen=True, slots=True)
class SignInOffer:
    """What somebody who is not signed in can do here."""

    registration: RegistrationMode
    has_mail: bool


def checked_password(password: str, *, email: str, name: str) -> str:
    """Return a new password unchanged.

    Raises:
        InvalidInput: when it is too short, absurdly long, about its owner, or one that everybody tries.
    """
    valid_password(password, email=email, name=name)
    if is_breached(password):
        raise InvalidInput(
            "This password was found in lists of stolen ones, so it is among the first that anybody tries. Please"
            " choose another one."
        )
    return password


class Registration:
    """The use cases of making an account."""

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
        """Know where truth lives and who does what."""
        self._database = database
        self._passwords = passwords
        self._tokens = tokens
        self._rate_limits = rate_limits
        self._one_time_links = one_time_links
        self._instance_settings = instance_settings
        self._mail_sender = mail_sender
        self._sign_in = sign_in

    async def offer(self) -> SignInOffer:
        """Return what the sign-in page offers."""
        instance_settings = await self._instance_settings.current()
        return SignInOffer(instance_settings.registration, self._mail_sender.is_configured)

    async def setup_token(self) -> str | None:
        """Return the token of the link for the first administrator; None once there is an account."""
        async with self._database.begin(None) as session:
            return None if await rows.has_accounts(session) else self._tokens.setup()

    async def create_first_administrator(
        self, token: str, *, name: str, email: str, password: str, client_info: ClientInfo
    ) -> SignInResult:
        """Create the first account and sign it in.

        Raises:
            NotAllowed: when the link is not ours or too old.
            InvalidInput: when name, address or password cannot be used.
            Conflict: when there is an account already.
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
                raise Conflict("There is an administrator already. Please sign in.")
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
        """Make an account for whoever asks, and sign them in; None: with mail, the address is confirmed by a link first.

        With mail, the answer is the same whether the address has an account already, whose owner gets a mail that says
        so. Without mail nothing else can tell them.

        Raises:
            Conflict: without mail, when the address has an account already.
            NotAllowed: where one needs an invitation.
            InvalidInput: when name, address or password cannot be used.
            TooManyAttempts: when it was tried too often.
        """
        instance_settings = await self._instance_settings.current()
        if instance_settings.registration is not RegistrationMode.OPEN:
            raise NotAllowed("Accounts here are made by invitation. Please ask an administrator for one.")
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
            raise Conflict("There is an account with this address already: sign in, or ask an administrator.")
        return await self._enter(user_id, client_info)

    async def confirm(self, token: str, client_info: ClientInfo) -> None:
        """Take the proof that an address is its account's.

        Raises:
            NotAllowed: when the link does not work (any more).
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
        """Return when a link works: the page behind it need not be filled in for nothing.

        Raises:
            NotAllowed: when it does not (any more).
        """
        await self._rate_limits.attempt("link", client_info)
        if kind == "setup":
            self._check_setup(token)
            if await self.setup_token() is None:
                raise NotAllowed("There is an administrator already. Please sign in.")
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
                "This link is not valid (any more). Start RxChat again: it prints a new one while there is no account."
            ) from error

    async def get_invitation(self, token: str, client_info: ClientInfo) -> str:
        """Return the address that an invitation is for.

        Raises:
            NotAllowed: when the link does not work (any more).
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
        """Accept an invitation: make the account and sign it in.

        Raises:
            NotAllowed: when the link does not work (any more), or nobody can make an account just now.
            InvalidInput: when name or password cannot be used.
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
                # Whoever invites somebody by hand vouches for the address.
                is_confirmed=True, group_ids=[group for item in link.group_ids if (group := parse_id(item))],
            )  # fmt: skip
            if not created:
                raise NotAllowed(OLD_LINK)
            await record(session, user_id, "joined", client_info, invited_by=str(link.created_by))
        await self._rate_limits.refund("link", client_info)
        return await self._enter(user_id, client_info)

    async def _require_not_closed(self) -> None:
        if (await self._instance_settings.current()).registration is RegistrationMode.CLOSED:
            raise NotAllowed("No new accounts can be made here at the moment. Please ask an administrator.")
