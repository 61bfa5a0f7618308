"""Sign-in: a password or a stronger credential, a second factor if the account has one, then a session."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog

from rxchat import observability
from rxchat.db.accounts import accounts as rows
from rxchat.db.accounts import sessions as session_rows
from rxchat.db.accounts.accounts import Account
from rxchat.db.platform.database import Database
from rxchat.domain import mail
from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.email_addresses import email_key
from rxchat.domain.errors import NotSignedIn, ReauthenticationFailed, SignInAgain, TooManyAttempts
from rxchat.domain.ids import new_id
from rxchat.domain.permissions import Scope, valid_scopes
from rxchat.domain.rate_limits import RateLimit
from rxchat.services.accounts.one_time_links import LinkKind, OneTimeLinks
from rxchat.services.accounts.passwords import Passwords
from rxchat.services.accounts.rate_limits import RateLimits
from rxchat.services.accounts.second_factors import SecondFactors
from rxchat.services.accounts.sessions import Sessions
from rxchat.services.platform.audit import record
from rxchat.services.platform.mail_sender import MailSender
from rxchat.services.platform.session_tokens import Purpose, SessionToken, SessionTokens, id_in

log = structlog.get_logger(__name__)

WRONG = "Wrong e-mail address or password."
WRONG_OR_UNCONFIRMED = (
    "Wrong e-mail address or password, or you have not confirmed your address yet: check your inbox for the link."
)
WRONG_CODE = "Wrong code, or it was already used. Try the next one."
_PENDING = timedelta(minutes=10)
_DEVICE = timedelta(days=400)
_RECENT = timedelta(minutes=10)
_CONFIRMED = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class SignInResult:
    """The result of a sign-in: a session with the browser's device cookie, or the step that is missing."""

    session: SessionToken | None = None
    device: str = ""
    pending: str = ""
    """The encrypted proof of the first step, if a second factor is required."""


class SignIn:
    """Use cases for signing in."""

    def __init__(
        self,
        database: Database,
        passwords: Passwords,
        tokens: SessionTokens,
        rate_limits: RateLimits,
        sessions: Sessions,
        second_factors: SecondFactors,
        one_time_links: OneTimeLinks,
        mail_sender: MailSender,
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._tokens = tokens
        self._rate_limits = rate_limits
        self._sessions = sessions
        self._second_factors = second_factors
        self._one_time_links = one_time_links
        self._mail_sender = mail_sender

    def device_of(self, sealed: str) -> UUID | None:
        """Return the device id in a cookie, or None if it is invalid."""
        try:
            return id_in(self._tokens.open(Purpose.DEVICE, sealed), "did")
        except NotSignedIn:
            return None

    async def sign_in(
        self, email: str, password: str, client_info: ClientInfo, *, scopes: frozenset[Scope] | None = None
    ) -> SignInResult:
        """Check a password; with scopes, for a program that is limited to them.

        Raises:
            NotSignedIn: for every failure, with the same message and after the same work.
            TooManyAttempts: after too many attempts.
        """
        account = await self._password_checked(email, password, client_info)
        return await self.admit(account, client_info, method="password", scopes=scopes)

    async def _password_checked(self, email: str, password: str, client_info: ClientInfo) -> Account:
        email = email.strip()[:254].replace("\x00", "")
        async with self._database.begin(None) as session:
            account = await rows.find_by_email(session, email)
        is_known = account is not None and await self._sessions.knows_device(account.id, client_info)
        # By the account if it exists: the database decides which spellings of an address are the same.
        subject = str(account.id) if account else email_key(email)
        attempt = await self._rate_limits.attempt("sign-in", client_info, subject, is_known_device=is_known)
        matches = await self._passwords.matches(password[:10_000], account.password_hash if account else None)
        if account is None or not matches or account.is_suspended:
            await self._refused(account, client_info, "password")
            raise NotSignedIn(self._wrong)
        await self._rate_limits.reset(attempt)
        if account.password_hash and self._passwords.is_outdated(account.password_hash):
            fresh = await self._passwords.hash(password)
            async with self._database.begin(account.id) as session:
                await rows.replace_password_hash(session, account.id, account.password_hash, fresh)
        return account

    @property
    def _wrong(self) -> str:
        """The same message for every failed sign-in, whatever the reason."""
        return WRONG_OR_UNCONFIRMED if self._mail_sender.is_configured else WRONG

    async def _refused(self, account: Account | None, client_info: ClientInfo, method: str) -> None:
        """Record a failed sign-in; the account does not show who tried."""
        observability.SIGN_INS.labels("refused").inc()
        tried = str(account.id) if account else ""
        async with self._database.begin(None) as session:
            await record(session, None, "sign_in_refused", client_info, method=method, account=tried)

    async def admit(
        self,
        account: Account,
        client_info: ClientInfo,
        *,
        method: str,
        second_factor: bool = False,
        scopes: frozenset[Scope] | None = None,
    ) -> SignInResult:
        """Sign an authenticated user in, or require the second factor that the account has.

        Raises:
            NotSignedIn: when the account is suspended, or its address was never confirmed.
        """
        if account.is_suspended:
            await self._refused(account, client_info, method)
            raise NotSignedIn(self._wrong)
        if not account.is_confirmed:
            await self._refused(account, client_info, method)
            await self._send_confirmation(account, client_info)
            raise NotSignedIn(self._wrong)
        if account.has_second_factor and not second_factor:
            facts = {
                "uid": str(account.id),
                "jti": str(new_id()),
                "method": method,
                "password": account.password_version,
                "scopes": None if scopes is None else sorted(scopes),
            }
            return SignInResult(pending=self._tokens.seal(Purpose.PENDING, facts, _PENDING))
        return await self._let_in(
            account.id, account.password_version, client_info, method, second_factor=second_factor, scopes=scopes
        )

    async def _send_confirmation(self, account: Account, client_info: ClientInfo) -> None:
        """Send the confirmation link again, rate-limited: the first one may have expired."""
        try:
            await self._rate_limits.attempt(
                "confirmation", client_info, str(account.id), allowance=RateLimit(subject=2)
            )
        except TooManyAttempts:
            return
        async with self._database.begin(account.id) as session:
            link = await self._one_time_links.make(
                session, LinkKind.CONFIRMATION, email=account.email, user_id=account.id, is_mailed=True
            )
            await self._mail_sender.queue(session, mail.confirmation(account.email, link, self._mail_sender.base_url))

    async def _let_in(
        self,
        user_id: UUID,
        password_version: str,
        client_info: ClientInfo,
        method: str,
        *,
        second_factor: bool,
        scopes: frozenset[Scope] | None,
    ) -> SignInResult:
        device_id = client_info.device_id or new_id()
        token = await self._sessions.open(
            user_id,
            client_info,
            method=method,
            second_factor=second_factor,
            password_version=password_version,
            device_id=device_id if scopes is None else None,
            scopes=scopes,
            kind="browser" if scopes is None else "program",
        )
        observability.SIGN_INS.labels("signed_in").inc()
        return SignInResult(token, self._tokens.seal(Purpose.DEVICE, {"did": str(device_id)}, _DEVICE))

    def pending_user(self, pending: str) -> UUID:
        """Return the user who has passed the first step.

        Raises:
            NotSignedIn: when the first step is missing or has expired.
        """
        try:
            return id_in(self._tokens.open(Purpose.PENDING, pending), "uid")
        except NotSignedIn as error:
            raise NotSignedIn("That took too long. Sign in again.") from error

    def is_pending(self, pending: str) -> bool:
        """Whether the first step was passed recently: a reloaded page then asks for the second one."""
        try:
            self.pending_user(pending)
        except NotSignedIn:
            return False
        return True

    async def verify_second_factor(self, pending: str, code: str, client_info: ClientInfo) -> SignInResult:
        """Pass the second step with a code of the authenticator app or a recovery code.

        Raises:
            NotSignedIn: when the code is wrong, or the first step has expired.
            TooManyAttempts: after too many attempts.
        """
        user_id = self.pending_user(pending)
        is_known = await self._sessions.knows_device(user_id, client_info)
        attempt = await self._rate_limits.attempt("second-factor", client_info, str(user_id), is_known_device=is_known)
        if not await self._second_factors.verify(user_id, code, client_info):
            observability.SIGN_INS.labels("refused").inc()
            async with self._database.begin(None) as session:
                await record(session, None, "second_factor_refused", client_info, account=str(user_id))
            raise NotSignedIn(WRONG_CODE)
        await self._rate_limits.reset(attempt)
        return await self.complete(pending, client_info)

    async def complete(self, pending: str, client_info: ClientInfo) -> SignInResult:
        """Sign a user in who has just used their second factor; each first step is valid once.

        Raises:
            NotSignedIn: when the first step was used before or has expired, or the account was suspended or its
                password
                changed since.
        """
        user_id = self.pending_user(pending)
        facts = self._tokens.open(Purpose.PENDING, pending)
        async with self._database.begin(user_id) as session:
            account = await rows.get_own(session, user_id)
            is_first = await session_rows.consume_token(session, id_in(facts, "jti"), datetime.now(UTC) + _PENDING)
        version = facts.get("password")
        if account is None or account.suspended_at is not None or not is_first or not isinstance(version, str):
            raise NotSignedIn("Sign in again.")
        asked = facts.get("scopes")
        scopes = valid_scopes(asked) if isinstance(asked, list) else None
        return await self._let_in(
            user_id, version, client_info, str(facts.get("method")), second_factor=True, scopes=scopes
        )

    async def reauthenticate(self, current_user: CurrentUser, password: str, client_info: ClientInfo) -> None:
        """Check the current user's password before a destructive action.

        The transaction of the action begins with `require_reauthenticated` of the accounts' queries.

        Raises:
            SignInAgain: when the account has a second factor that this session has not used; without a password, when
                the sign-in is too old.
            ReauthenticationFailed: when the password is wrong.
            TooManyAttempts: after too many attempts.
        """
        if current_user.owes_second_factor:
            raise SignInAgain
        async with self._database.begin(current_user.user_id) as session:
            account = await rows.get_own(session, current_user.user_id)
        if account is None:
            raise NotSignedIn
        if account.password_hash is None:
            await self.require_recent(current_user)
            return
        is_known = await self._sessions.knows_device(current_user.user_id, client_info)
        attempt = await self._rate_limits.attempt(
            "sign-in", client_info, str(current_user.user_id), is_known_device=is_known
        )
        if not await self._passwords.matches(password[:10_000], account.password_hash):
            async with self._database.begin(current_user.user_id) as session:
                await record(session, current_user.user_id, "proof_refused", client_info)
            raise ReauthenticationFailed
        await self._rate_limits.reset(attempt)

    async def confirmed_until(self, current_user: CurrentUser) -> datetime | None:
        """Return until when the sign-in of this session is proof enough to set up an authenticator app.

        That is five minutes after a sign-in with the password; None without one, or if a second factor is missing.
        """
        if current_user.owes_second_factor:
            return None
        mine = await self._sessions.mine(current_user)
        signed_in = [item.created_at for item in mine if item.is_this and item.method == "password"]
        return signed_in[0] + _CONFIRMED if signed_in else None

    async def reauthenticate_to_enroll(self, current_user: CurrentUser, password: str, client_info: ClientInfo) -> None:
        """Check the password before an authenticator app is set up, unless the session began with it just now.

        The transaction of the set-up checks that neither the password was changed nor the session ended since
        (`require_reauthenticated`).

        Raises:
            SignInAgain, ReauthenticationFailed, TooManyAttempts: as `reauthenticate` does.
        """
        until = None if password else await self.confirmed_until(current_user)
        if until is None or datetime.now(UTC) >= until:
            await self.reauthenticate(current_user, password, client_info)

    async def require_recent(self, current_user: CurrentUser) -> None:
        """Require a sign-in within the last ten minutes, with the second factor if the account has one.

        Raises:
            SignInAgain: otherwise.
        """
        if current_user.owes_second_factor or not await self._is_recent(current_user):
            raise SignInAgain

    async def _is_recent(self, current_user: CurrentUser) -> bool:
        now = datetime.now(UTC)
        mine = await self._sessions.mine(current_user)
        return any(item.is_this and now - item.created_at < _RECENT for item in mine)
