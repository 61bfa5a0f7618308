"""Sign-in with external accounts (GitHub, Apple, OpenID Connect), and connecting them to an account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from rxchat.db.accounts import accounts as rows
from rxchat.db.accounts import credentials
from rxchat.db.accounts import sessions as session_rows
from rxchat.db.platform.database import Database
from rxchat.domain import mail
from rxchat.domain.accounts import ClientInfo, CurrentUser, RegistrationMode
from rxchat.domain.errors import (
    AddressEmpty,
    AddressMissing,
    AddressTaken,
    AddressUnconfirmed,
    AddressUnsaid,
    Conflict,
    InvalidProviderResponse,
    NoAccount,
    NotAllowed,
    NotFound,
    NotSignedIn,
)
from rxchat.domain.ids import new_id
from rxchat.domain.ports import SignInProvider
from rxchat.domain.sign_in_providers import AuthorizationRequest, ExternalIdentity, ProviderInfo
from rxchat.services.accounts.one_time_links import LinkKind, OneTimeLinks
from rxchat.services.accounts.rate_limits import RateLimits
from rxchat.services.accounts.sign_in import SignIn, SignInResult
from rxchat.services.platform.audit import record
from rxchat.services.platform.instance_settings import InstanceSettings
from rxchat.services.platform.mail_sender import MailSender
from rxchat.services.platform.session_tokens import Purpose, SessionTokens, id_in
from rxchat.tables import Identity

_AWAY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class LoginResult:
    """The result of a returned sign-in: a session (or its first step), or a connected account."""

    admission: SignInResult | None
    next_path: str


@dataclass(frozen=True, slots=True)
class IdentitySummary:
    """An external account as its user sees it."""

    id: UUID
    provider: str
    email: str
    created_at: datetime


_ADDRESS_PROBLEMS = {kind.code: kind for kind in (AddressMissing, AddressEmpty, AddressUnsaid, AddressUnconfirmed)}


class ExternalLogin:
    """Use cases for external accounts, identified by (issuer, subject) and never by an e-mail address."""

    def __init__(
        self,
        database: Database,
        tokens: SessionTokens,
        rate_limits: RateLimits,
        one_time_links: OneTimeLinks,
        instance_settings: InstanceSettings,
        sign_in: SignIn,
        mail_sender: MailSender,
        providers: Sequence[SignInProvider],
    ) -> None:
        self._database = database
        self._tokens = tokens
        self._rate_limits = rate_limits
        self._one_time_links = one_time_links
        self._instance_settings = instance_settings
        self._sign_in = sign_in
        self._mail_sender = mail_sender
        self._providers = {provider.info.key: provider for provider in providers}

    @property
    def providers(self) -> list[ProviderInfo]:
        """The providers that the sign-in page offers."""
        return [provider.info for provider in self._providers.values()]

    async def start(
        self, key: str, *, origin: str, next_path: str, current_user: CurrentUser | None, invitation: str
    ) -> tuple[str, str]:
        """Return the provider's address for the browser, and the encrypted cookie that binds the response to this browser.

        The provider returns to the same origin, because cookies belong to one origin. With `current_user`, the
        external account will be connected to theirs; with the token of an invitation, it may create an account.

        Raises:
            NotFound: when the provider is not configured.
            SignInAgain: when the current user's sign-in is too old.
            ProviderError: when the provider does not respond.
        """
        provider = self._provider(key)
        if current_user is not None:
            await self._require_user(current_user)
        departure = await provider.depart(f"{origin}/api/auth/providers/{key}/callback")
        facts = {
            "provider": departure.provider,
            "state": departure.state,
            "nonce": departure.nonce,
            "verifier": departure.code_verifier,
            "redirect": departure.redirect_uri,
            "next": next_path,
            "linking": str(current_user.user_id) if current_user else "",
            "session": str(current_user.session_id) if current_user else "",
            "password": current_user.password_version if current_user else "",
            "invitation": invitation[:200],
            "jti": str(new_id()),
        }
        return departure.url, self._tokens.seal(Purpose.DEPARTURE, facts, _AWAY)

    async def _require_user(self, current_user: CurrentUser) -> None:
        """Require a recent sign-in in a browser to connect an account."""
        if current_user.scopes is not None:
            raise NotAllowed
        await self._sign_in.require_recent(current_user)

    def _provider(self, key: str) -> SignInProvider:
        if key not in self._providers:
            raise NotFound
        return self._providers[key]

    async def complete(
        self,
        key: str,
        sealed: str,
        answer: Mapping[str, str],
        current_user: CurrentUser | None,
        client_info: ClientInfo,
    ) -> LoginResult:
        """Complete a sign-in after the browser returned from the provider.

        Raises:
            ProviderError: when the response is invalid, or the user refused.
            NotAllowed: when no account exists, or the external account has to be connected first.
        """
        provider = self._provider(key)
        try:
            facts = self._tokens.open(Purpose.DEPARTURE, sealed)
        except NotSignedIn as error:
            raise InvalidProviderResponse from error
        async with self._database.begin(None) as session:
            is_first = await session_rows.consume_token(session, id_in(facts, "jti"), datetime.now(UTC) + _AWAY)
        if facts.get("provider") != key or not is_first:
            raise InvalidProviderResponse
        departure = AuthorizationRequest(
            provider=key,
            url="",
            state=facts["state"],
            nonce=facts["nonce"],
            code_verifier=facts["verifier"],
            redirect_uri=facts["redirect"],
        )
        # Counted at the return, not at the start: a page of another site can start any number of sign-ins. A browser
        attempt = await self._rate_limits.attempt(
            "provider", client_info, is_known_device=client_info.device_id is not None
        )
        foreign = await provider.arrive(departure, answer)
        await self._rate_limits.reset(attempt)
        if facts["linking"]:
            # The user must be the one who started, otherwise an account could be connected to another user's.
            went = (facts["linking"], facts["session"], facts.get("password"))
            if (
                current_user is None
                or (str(current_user.user_id), str(current_user.session_id), current_user.password_version) != went
            ):
                raise InvalidProviderResponse
            await self._link(current_user, key, foreign, client_info)
            return LoginResult(None, facts["next"])
        return LoginResult(await self._admit(key, foreign, facts["invitation"], client_info), facts["next"])

    async def _link(
        self, current_user: CurrentUser, key: str, foreign: ExternalIdentity, client_info: ClientInfo
    ) -> None:
        await self._require_user(current_user)
        async with self._database.begin(current_user.user_id) as session:
            await rows.require_reauthenticated(session, current_user)
            known = await rows.find_by_identity(session, foreign.issuer, foreign.subject)
            if known is not None and known.id != current_user.user_id:
                raise Conflict("This account is already connected to another RxChat account.")
            if known is not None:
                return
            await rows.add_identity(session, _identity(current_user.user_id, key, foreign))
            provider_label = self._provider(key).info.label
            await record(session, current_user.user_id, "identity_linked", client_info, provider=key)
            letter = mail.identity_linked(current_user.email, provider_label, self._mail_sender.base_url)
            await self._mail_sender.queue(session, letter)

    async def _admit(
        self, key: str, foreign: ExternalIdentity, invitation: str, client_info: ClientInfo
    ) -> SignInResult:
        async with self._database.begin(None) as session:
            account = await rows.find_by_identity(session, foreign.issuer, foreign.subject)
        if account is None:
            account = await self._made(key, foreign, invitation, client_info)
        return await self._sign_in.admit(account, client_info, method=key)

    async def _made(
        self, key: str, foreign: ExternalIdentity, invitation: str, client_info: ClientInfo
    ) -> rows.Account:
        instance_settings = await self._instance_settings.current()
        user_id = new_id()
        async with self._database.begin(user_id) as session:
            link = await self._one_time_links.consume(session, LinkKind.INVITATION, invitation) if invitation else None
            if link is None and foreign.email and foreign.email_verified:
                # The provider has confirmed the address, so the invitation counts without its link.
                link = await self._one_time_links.consume_of(session, foreign.email)
            email = link.email if link else foreign.email
            is_closed = instance_settings.registration is RegistrationMode.CLOSED
            if is_closed or (link is None and instance_settings.registration is not RegistrationMode.OPEN):
                raise await self._no_account(session, foreign)
            if not email or (link is None and not foreign.email_verified):
                raise _ADDRESS_PROBLEMS.get(foreign.email_problem, AddressUnconfirmed)
            created = await rows.has_accounts(session) and await rows.create(
                session, user_id, email=email, name=foreign.name or email.partition("@")[0],
                role=link.role if link else instance_settings.default_role, password_hash=None, is_confirmed=True,
                group_ids=[UUID(group) for group in link.group_ids] if link else [],
            )  # fmt: skip
            if not created:
                raise AddressTaken
            await rows.add_identity(session, _identity(user_id, key, foreign))
            await record(session, user_id, "registered", client_info, provider=key)
            account = await rows.find_by_email(session, email)
        if account is None:
            raise InvalidProviderResponse
        return account

    async def _no_account(self, session: rows.AsyncSession, foreign: ExternalIdentity) -> NotAllowed:
        # Only a user who has confirmed the address learns that it has an account.
        is_theirs = bool(foreign.email) and foreign.email_verified
        if is_theirs and await rows.find_by_email(session, foreign.email) is not None:
            return AddressTaken()
        return NoAccount()

    async def mine(self, current_user: CurrentUser) -> list[IdentitySummary]:
        """Return the external accounts of the current user."""
        async with self._database.begin(current_user.user_id) as session:
            found = await rows.identities(session, current_user.user_id)
        return [IdentitySummary(row.id, row.provider, row.email, row.created_at) for row in found]

    async def unlink(self, current_user: CurrentUser, identity_id: UUID, client_info: ClientInfo) -> None:
        """Disconnect an external account, unless it is the user's last way to sign in.

        Raises:
            NotFound: when the user has no such account.
            Conflict: when the user could not sign in without it.
        """
        async with self._database.begin(current_user.user_id) as session:
            await rows.require_reauthenticated(session, current_user)
            user = await rows.get_own(session, current_user.user_id)
            tied = await rows.identities(session, current_user.user_id)
            passkeys = await credentials.passkeys(session, current_user.user_id)
            if user is not None and user.password_hash is None and len(tied) == 1 and not passkeys:
                raise Conflict("This is your only way to sign in. Choose a password or add a passkey first.")
            if not await rows.remove_identity(session, current_user.user_id, identity_id):
                raise NotFound
            await record(
                session, current_user.user_id, "identity_unlinked", client_info,
                identity=str(identity_id),
            )  # fmt: skip


def _identity(user_id: UUID, key: str, foreign: ExternalIdentity) -> Identity:
    return Identity(user_id=user_id, issuer=foreign.issuer, subject=foreign.subject, email=foreign.email, provider=key)
