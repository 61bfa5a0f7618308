"""Credentials of programs: access and refresh tokens, and API keys."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from rxchat.db.accounts import accounts as account_rows
from rxchat.db.accounts import credentials as rows
from rxchat.db.accounts import sessions as session_rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.authorization import require
from rxchat.domain.errors import InvalidInput, NotFound, NotSignedIn, RxChatError
from rxchat.domain.ids import new_id
from rxchat.domain.permissions import Permission, Scope, valid_scopes
from rxchat.domain.text import clean_line
from rxchat.services.accounts.rate_limits import RateLimits
from rxchat.services.accounts.sessions import KEY_PREFIX, KEY_PURPOSE, Sessions
from rxchat.services.accounts.sign_in import SignIn
from rxchat.services.platform.access_invalidator import AccessInvalidator
from rxchat.services.platform.audit import record
from rxchat.services.platform.encryption import SecretBox
from rxchat.services.platform.session_tokens import Purpose, SessionToken, SessionTokens
from rxchat.tables import ApiKey

ACCESS_LIFETIME = timedelta(minutes=15)
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SECRET_CHARACTERS = 40
_SHOWN_CHARACTERS = len(KEY_PREFIX) + 6
_KEYS_AT_MOST = 50


@dataclass(frozen=True, slots=True)
class TokenPair:
    """An access token, and the refresh token for the next pair."""

    access_token: str
    refresh_token: str
    expires_in: int
    """The lifetime of the access token in seconds."""


@dataclass(frozen=True, slots=True)
class KeySummary:
    """An API key as its user sees it."""

    id: UUID
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class ApiCredentials:
    """Use cases for tokens and API keys."""

    def __init__(
        self,
        database: Database,
        tokens: SessionTokens,
        secret_box: SecretBox,
        rate_limits: RateLimits,
        sessions: Sessions,
        access_invalidator: AccessInvalidator,
        sign_in: SignIn,
    ) -> None:
        self._database = database
        self._tokens = tokens
        self._secret_box = secret_box
        self._rate_limits = rate_limits
        self._sessions = sessions
        self._access_invalidator = access_invalidator
        self._sign_in = sign_in

    async def sign_in(
        self, *, email: str, password: str, code: str, scopes: Iterable[str], client_info: ClientInfo
    ) -> TokenPair:
        """Sign a program in on behalf of a user, with a code if the account has a second factor.

        Raises:
            NotSignedIn: when password or code is wrong.
            InvalidInput: when a scope does not exist.
            NotAllowed: when it requests the scope to administer, and the user administers nothing.
            TooManyAttempts: after too many attempts.
        """
        wanted = valid_scopes(scopes)
        admission = await self._sign_in.sign_in(email, password, client_info, scopes=wanted)
        if admission.pending:
            if not code:
                raise NotSignedIn("This account uses two-factor authentication: send a code, too.")
            admission = await self._sign_in.verify_second_factor(admission.pending, code, client_info)
        if admission.session is None:
            raise NotSignedIn
        pair = self._pair(admission.session, 0)
        if Scope.ADMIN in wanted:
            await self._require_right_to_administer(admission.session, pair, client_info)
        return pair

    async def _require_right_to_administer(self, token: SessionToken, pair: TokenPair, client_info: ClientInfo) -> None:
        """End the new session of a program that requests more than its user may do.

        The session's record decides what the user may do with it, by role and second factor.
        """
        try:
            _require_right_to(await self._sessions.authenticate_bearer(pair.access_token), frozenset({Scope.ADMIN}))
        except RxChatError:
            async with self._database.begin(token.user_id) as session:
                await session_rows.end(session, token.user_id, only=token.session_id, reason="signed_out")
                await record(
                    session,
                    token.user_id,
                    "signed_out",
                    client_info,
                    session=str(token.session_id),
                )
            self._access_invalidator.changed(token.user_id)
            raise

    def _pair(self, family: SessionToken, generation: int) -> TokenPair:
        return TokenPair(
            self._tokens.session(family, ACCESS_LIFETIME, Purpose.ACCESS),
            self._tokens.session(family, self._sessions.absolute, Purpose.REFRESH, gen=generation),
            int(ACCESS_LIFETIME.total_seconds()),
        )

    async def refresh(self, refresh_token: str, client_info: ClientInfo) -> TokenPair:
        """Exchange a refresh token for a new pair; a token that is used twice ends the session.

        Raises:
            NotSignedIn: when the token is not valid.
            TooManyAttempts: after too many attempts.
        """
        attempt = await self._rate_limits.attempt("refresh", client_info)
        token = self._tokens.open_session(refresh_token, Purpose.REFRESH)
        generation = self._tokens.open(Purpose.REFRESH, refresh_token).get("gen")
        if not isinstance(generation, int):
            raise NotSignedIn
        async with self._database.begin(token.user_id) as session:
            following = await session_rows.exchange_refresh(
                session, token.user_id, token.session_id, generation, self._sessions.idle
            )
            if following == -1:
                await record(
                    session, token.user_id, "refresh_token_replayed", client_info,
                    session=str(token.session_id), generation=generation,
                )  # fmt: skip
        if following is None or following < 0:
            self._access_invalidator.changed(token.user_id)
            raise NotSignedIn
        await self._rate_limits.reset(attempt)
        return self._pair(token, following)

    async def create_key(
        self, current_user: CurrentUser, *, name: str, scopes: Iterable[str], days: int | None, client_info: ClientInfo
    ) -> tuple[KeySummary, str]:
        """Create an API key; return it with its secret, which is shown only once.

        Raises:
            NotAllowed: without the permission to create keys, or to administer if that scope is requested.
            InvalidInput: when name, scopes or lifetime are invalid.
        """
        require(current_user, Permission.KEYS_CREATE)
        wanted = valid_scopes(scopes)
        _require_right_to(current_user, wanted)
        name = clean_line(name)[:100]
        if not name:
            raise InvalidInput("Enter a name for the key.")
        if days is not None and not 1 <= days <= 3650:
            raise InvalidInput("A key can be valid from 1 to 3,650 days.")
        key = KEY_PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_SECRET_CHARACTERS))
        row = ApiKey(
            user_id=current_user.user_id,
            id=new_id(),
            name=name,
            prefix=key[:_SHOWN_CHARACTERS],
            hash=self._secret_box.digest(KEY_PURPOSE, key),
            scopes=sorted(wanted),
            created_at=datetime.now(UTC),
            expires_at=None if days is None else datetime.now(UTC) + timedelta(days=days),
        )
        async with self._database.begin(current_user.user_id) as session:
            await account_rows.require_reauthenticated(session, current_user)
            if len(await rows.keys(session, current_user.user_id)) >= _KEYS_AT_MOST:
                raise InvalidInput(f"You already have {_KEYS_AT_MOST} keys. Revoke one that you do not need.")
            await rows.add_key(session, row)
            await record(
                session, current_user.user_id, "key_created", client_info,
                key=str(row.id), name=name, scopes=row.scopes,
            )  # fmt: skip
        return _view(row), key

    async def keys(self, current_user: CurrentUser) -> list[KeySummary]:
        """Return the user's keys, newest first."""
        async with self._database.begin(current_user.user_id) as session:
            return [_view(row) for row in await rows.keys(session, current_user.user_id)]

    async def revoke_key(self, current_user: CurrentUser, key_id: UUID, client_info: ClientInfo) -> None:
        """Revoke a key.

        Raises:
            NotFound: when the user has no such key.
        """
        async with self._database.begin(current_user.user_id) as session:
            if not await rows.revoke_key(session, current_user.user_id, key_id):
                raise NotFound
            await record(session, current_user.user_id, "key_revoked", client_info, key=str(key_id))
        self._access_invalidator.changed(current_user.user_id)


def _view(row: ApiKey) -> KeySummary:
    return KeySummary(row.id, row.name, row.prefix, tuple(row.scopes), row.created_at, row.expires_at, row.last_used_at)


def _require_right_to(current_user: CurrentUser, scopes: frozenset[Scope]) -> None:
    """Require that a user who requests the scope to administer can administer something.

    Raises:
        NotAllowed: when the user administers nothing.
    """
    if Scope.ADMIN in scopes and not current_user.is_admin:
        require(current_user, Permission.USERS_READ)
