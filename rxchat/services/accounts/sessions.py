"""Sessions: the user behind a cookie, an access token or an API key, by the server's record."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from rxchat.db.accounts import accounts as account_rows
from rxchat.db.accounts import sessions as rows
from rxchat.db.accounts.sessions import SessionRecord
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import ClientInfo, CurrentUser, SecondFactorPolicy, password_version
from rxchat.domain.audit_actions import AuditAction
from rxchat.domain.errors import DatabaseUnavailable, NotFound, NotSignedIn, SecondFactorNeeded
from rxchat.domain.ids import new_id
from rxchat.domain.permissions import ADMINISTRATIVE, Permission, Scope
from rxchat.domain.text import clean_line
from rxchat.services.platform.access_invalidator import AccessInvalidator
from rxchat.services.platform.audit import record
from rxchat.services.platform.encryption import SecretBox
from rxchat.services.platform.instance_settings import InstanceSettings
from rxchat.services.platform.session_tokens import Purpose, SessionToken, SessionTokens
from rxchat.tables import UserSession

_SEEN_EVERY = timedelta(minutes=1)
_ROTATED_EVERY = timedelta(days=1)
_REMEMBER_SECONDS = 2.0
_REMEMBER_AT_MOST = 10_000
_ENDED_SECONDS = 60.0
"""For this long an ended session is not read again for its cookie; only reinstating an account could make it valid."""
KEY_PREFIX = "rxc_"
KEY_PURPOSE = "api key"
# Permissions of other versions of RxChat are ignored.
_PERMISSIONS = {permission.value for permission in Permission}
_SCOPES = {scope.value for scope in Scope}


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """A session as its user sees it."""

    id: UUID
    kind: str
    method: str
    user_agent: str
    address: str
    created_at: datetime
    last_seen_at: datetime
    is_this: bool


_ENDINGS = {
    "ended by an administrator": "administrator",
    "changed by an administrator": "administrator",
    "second factor reset": "administrator",
    "second factor added": "factor",
    "account to be deleted": "deletion",
    "account to be deleted by an administrator": "deletion",
    "session_ended": "elsewhere",
    "other_sessions_ended": "elsewhere",
    "password_changed": "password",
    "password_reset": "password",
    "expired": "expired",
}
"""For each reason in the database, the one that the sign-in page shows."""


class Sessions:
    """Opens, checks, lists and ends sessions.

    A check is cached for two seconds at most, and only while this process receives Postgres notifications, which
    invalidate it immediately.
    """

    def __init__(
        self,
        database: Database,
        tokens: SessionTokens,
        secret_box: SecretBox,
        instance_settings: InstanceSettings,
        access_invalidator: AccessInvalidator,
        *,
        idle: timedelta,
        absolute: timedelta,
    ) -> None:
        """Store the services, and how long a session lasts, idle and in total."""
        self._database = database
        self._tokens = tokens
        self._secret_box = secret_box
        self._instance_settings = instance_settings
        self._access_invalidator = access_invalidator
        self.idle = idle
        self.absolute = absolute
        self._known: dict[bytes, tuple[float, CurrentUser]] = {}
        self._ended: dict[bytes, float] = {}
        self._changes = 0
        access_invalidator.on_change(self._forget)

    def _forget(self, user_id: UUID | None) -> None:
        self._changes += 1
        if user_id is None:
            self._known.clear()
            return
        for seal in [seal for seal, (_, current_user) in self._known.items() if current_user.user_id == user_id]:
            del self._known[seal]

    async def open(
        self,
        user_id: UUID,
        client_info: ClientInfo,
        *,
        method: str,
        second_factor: bool,
        password_version: str | None = None,
        device_id: UUID | None = None,
        scopes: frozenset[Scope] | None = None,
        kind: str = "browser",
        lifetime: timedelta | None = None,
    ) -> SessionToken:
        """Open a session for an authenticated user.

        Raises:
            NotSignedIn: when the account was suspended meanwhile, or its password is not the one of
                `password_version`.
        """
        token = SessionToken(user_id, new_id())
        now = datetime.now(UTC)
        row = UserSession(
            user_id=user_id,
            id=token.session_id,
            expires_at=now + (lifetime or self.absolute),
            address=client_info.address[:100],
            user_agent=clean_line(client_info.user_agent)[:300],
            kind=kind,
            method=method,
            second_factor_at=now if second_factor else None,
            device_id=device_id,
            scopes=None if scopes is None else sorted(scopes),
        )
        async with self._database.begin(user_id) as session:
            if not await account_rows.lock_own(session, user_id, password_version):
                raise NotSignedIn("Sign in again.")
            await rows.add(session, row)
            await record(
                session, user_id, "signed_in", client_info,
                method=method, kind=kind, second_factor=second_factor, session=str(token.session_id),
            )  # fmt: skip
        return token

    def cookie_of(self, token: SessionToken) -> str:
        """Return the value of a session's cookie."""
        return self._tokens.session(token, self.absolute)

    async def current_user(self, sealed: str, *, enrolling: bool = False) -> CurrentUser:
        """Return the user of a session cookie, by the server's current record.

        With `enrolling`, a user who has to set up a second factor first is accepted: for the pages where they do it.

        Raises:
            NotSignedIn: when the session has ended, or the cookie is invalid.
            SecondFactorNeeded: when the user has to set up a second factor first.
        """
        return await self._checked(sealed, Purpose.SESSION, "browser", enrolling=enrolling)

    async def why_ended(self, sealed: str) -> str:
        """Return why a cookie's session has ended, as a key for the sign-in page; "" for no reason.

        Users who signed out themselves have no cookie: this is for sessions that ended otherwise.
        """
        try:
            token = self._tokens.open_session(sealed)
        except NotSignedIn:
            return ""
        async with self._database.begin(token.user_id) as session:
            reason = await rows.end_reason(session, token.user_id, token.session_id, self.idle)
        return _ENDINGS.get(reason, "")

    def holder_of(self, sealed: str) -> UUID | None:
        """Return the user of a cookie, or None if it is invalid. It does not check whether the session has ended."""
        try:
            return self._tokens.open_session(sealed).user_id
        except NotSignedIn:
            return None

    async def signed_in_holder_of(self, sealed: str) -> UUID | None:
        """Return the user of a cookie while its session is active, otherwise None; without Postgres, the user of the cookie.

        Reads a cookie's session at most every two seconds; ended sessions are cached for longer.
        """
        seal = hashlib.sha256(Purpose.SESSION.value + sealed.encode("utf-8", "surrogatepass")).digest()
        if time.monotonic() < self._ended.get(seal, 0.0):
            return None
        holder = self.holder_of(sealed)
        if holder is None:
            return None
        try:
            await self.current_user(sealed, enrolling=True)
        except NotSignedIn:
            if len(self._ended) >= _REMEMBER_AT_MOST:
                self._ended.clear()
            self._ended[seal] = time.monotonic() + _ENDED_SECONDS
            return None
        except DatabaseUnavailable:
            return holder
        return holder

    async def rotate_if_due(self, current_user: CurrentUser) -> tuple[str, int] | None:
        """Return a new cookie and its lifetime if the session's id is due for rotation; the previous id expires soon.

        It is due once a day, and after a password or second factor was changed.
        """
        fresh = new_id()
        async with self._database.begin(current_user.user_id) as session:
            until = await rows.rotate(session, current_user.user_id, current_user.session_id, fresh, _ROTATED_EVERY)
        if until is None:
            return None
        self._access_invalidator.changed(current_user.user_id)
        left = until - datetime.now(UTC)
        return self._tokens.session(SessionToken(current_user.user_id, fresh), left), int(left.total_seconds())

    async def authenticate_bearer(self, credential: str) -> CurrentUser:
        """Return the user of an access token or API key.

        Raises:
            NotSignedIn: when it is not valid.
            SecondFactorNeeded: when its user has to set up a second factor first.
        """
        if credential.startswith(KEY_PREFIX):
            return await self._behind_key(credential)
        return await self._checked(credential, Purpose.ACCESS, "program", enrolling=False)

    async def _checked(self, sealed: str, purpose: Purpose, kind: str, *, enrolling: bool) -> CurrentUser:
        seal = hashlib.sha256(purpose.value + sealed.encode("utf-8", "surrogatepass")).digest()
        current_user = self._remembered(seal)
        if current_user is None:
            token = self._tokens.open_session(sealed, purpose)
            changes = self._changes
            read = self._database.reading(token.user_id)
            found = await rows.load(read, token.user_id, token.session_id, self.idle)
            if found is None or found.kind != kind:
                raise NotSignedIn
            if found.last_used_at and datetime.now(UTC) - found.last_used_at > _SEEN_EVERY:
                async with self._database.begin(token.user_id) as session:
                    await rows.touch_session(session, token.user_id, found.session_id or token.session_id)
            shown = found.has_second_factor and found.second_factor_at is not None
            current_user = await self._current_user(token.user_id, found.session_id or token.session_id, found, shown)
            self._remember(seal, current_user, changes)
        if current_user.must_enrol and not enrolling:
            raise SecondFactorNeeded
        return current_user

    async def _behind_key(self, key: str) -> CurrentUser:
        seal = hashlib.sha256(b"key" + key.encode("utf-8", "surrogatepass")).digest()
        current_user = self._remembered(seal)
        if current_user is None:
            changes = self._changes
            found = await rows.load_by_api_key(self._database.reading(None), self._secret_box.digest(KEY_PURPOSE, key))
            if found is None or found.user_id is None or found.key_id is None:
                raise NotSignedIn
            if found.last_used_at is None or datetime.now(UTC) - found.last_used_at > _SEEN_EVERY:
                async with self._database.begin(found.user_id) as session:
                    await rows.touch_key(session, found.user_id, found.key_id)
            # The user who created the key had used their second factor, if they have one.
            current_user = await self._current_user(found.user_id, found.key_id, found, found.has_second_factor)
            self._remember(seal, current_user, changes)
        if current_user.must_enrol:
            raise SecondFactorNeeded
        return current_user

    def _remembered(self, seal: bytes) -> CurrentUser | None:
        until, current_user = self._known.get(seal, (0.0, None))
        return current_user if time.monotonic() < until and self._access_invalidator.is_up_to_date else None

    def _remember(self, seal: bytes, current_user: CurrentUser, changes: int) -> None:
        if changes != self._changes:
            # Something changed while this was read, so the result may be outdated.
            return
        if len(self._known) >= _REMEMBER_AT_MOST:
            self._known.clear()
        self._known[seal] = (time.monotonic() + _REMEMBER_SECONDS, current_user)

    async def _current_user(self, user_id: UUID, session_id: UUID, found: SessionRecord, shown: bool) -> CurrentUser:
        permissions = frozenset(Permission(name) for name in found.permissions if name in _PERMISSIONS)
        policy = (await self._instance_settings.current()).second_factor
        is_lacking = policy is not SecondFactorPolicy.NOBODY and not shown
        administrative = permissions & ADMINISTRATIVE
        return CurrentUser(
            user_id=user_id,
            session_id=session_id,
            name=found.name,
            email=found.email,
            role=found.role,
            permissions=permissions - ADMINISTRATIVE if is_lacking else permissions,
            groups=frozenset(found.groups),
            scopes=None if found.scopes is None else frozenset(Scope(name) for name in found.scopes if name in _SCOPES),
            needs_second_factor=is_lacking and bool(administrative),
            lacks_second_factor=is_lacking,
            password_version=password_version(found.password_changed_at),
            owes_second_factor=found.has_second_factor and not shown,
            must_enrol=is_lacking and policy is SecondFactorPolicy.EVERYBODY,
        )

    async def show_second_factor(self, current_user: CurrentUser) -> None:
        """Record that the user has used a second factor in this session."""
        async with self._database.begin(current_user.user_id) as session:
            await rows.record_second_factor(session, current_user.user_id, current_user.session_id)
        self._access_invalidator.changed(current_user.user_id)

    async def knows_device(self, user_id: UUID, client_info: ClientInfo) -> bool:
        """Whether the client's browser has signed this user in before."""
        if client_info.device_id is None:
            return False
        async with self._database.begin(user_id) as session:
            return await rows.is_known_device(session, user_id, client_info.device_id)

    async def mine(self, current_user: CurrentUser) -> list[SessionSummary]:
        """Return the user's own sessions, last used first."""
        async with self._database.begin(current_user.user_id) as session:
            found = await rows.active(session, current_user.user_id, self.idle)
        return [
            SessionSummary(
                row.id,
                row.kind,
                row.method,
                row.user_agent,
                row.address,
                row.created_at,
                row.last_seen_at,
                is_this=row.id == current_user.session_id,
            )
            for row in found
        ]

    async def end(self, current_user: CurrentUser, session_id: UUID, client_info: ClientInfo) -> None:
        """End one of the user's own sessions.

        Raises:
            NotFound: when the user has no such session.
        """
        await self._end(current_user, client_info, "session_ended", only=session_id)

    async def end_others(self, current_user: CurrentUser, client_info: ClientInfo) -> int:
        """End all other sessions of the user. Returns their number."""
        return await self._end(current_user, client_info, "other_sessions_ended", but=current_user.session_id)

    async def sign_out(self, current_user: CurrentUser, client_info: ClientInfo) -> None:
        """End this session."""
        await self._end(current_user, client_info, "signed_out", only=current_user.session_id)

    async def _end(
        self,
        current_user: CurrentUser,
        client_info: ClientInfo,
        action: AuditAction,
        *,
        only: UUID | None = None,
        but: UUID | None = None,
    ) -> int:
        async with self._database.begin(current_user.user_id) as session:
            ended = await rows.end(session, current_user.user_id, only=only, but=but, reason=action)
            if only is not None and not ended:
                raise NotFound
            await record(
                session,
                current_user.user_id,
                action,
                client_info,
                session=str(only or but),
                count=ended,
            )
        self._access_invalidator.changed(current_user.user_id)
        return ended
