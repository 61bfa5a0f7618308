"""Accounts: the first administrator, signing in and out, and who is behind a cookie."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from rxchat import observability
from rxchat.db import accounts as rows
from rxchat.db import audit
from rxchat.db.database import Database
from rxchat.domain.accounts import UserRole, Viewer, valid_email, valid_name, valid_password
from rxchat.domain.errors import Conflict, NotAllowed, NotSignedIn
from rxchat.domain.ids import new_id
from rxchat.observability import correlation_id
from rxchat.services.passwords import Passwords
from rxchat.services.tokens import SessionToken, Tokens
from rxchat.tables import UserSession

log = structlog.get_logger(__name__)

_SEEN_EVERY = timedelta(minutes=1)
_WRONG = "This e-mail address and password do not belong together."


@dataclass(frozen=True, slots=True)
class Caller:
    """The browser that asks to be signed in, for the record."""

    address: str = ""
    user_agent: str = ""


class Accounts:
    """The use cases around who someone is."""

    def __init__(
        self, database: Database, passwords: Passwords, tokens: Tokens, *, idle: timedelta, absolute: timedelta
    ) -> None:
        """Know where truth lives and how long a sign-in lasts, unused and in all."""
        self._database = database
        self._passwords = passwords
        self._tokens = tokens
        self._idle = idle
        self.absolute = absolute

    async def setup_token(self) -> str | None:
        """Return the token of the link for the first administrator; None once there is an account."""
        async with self._database.begin(None) as session:
            return None if await rows.has_accounts(session) else self._tokens.setup()

    async def create_first_administrator(
        self, token: str, *, name: str, email: str, password: str, caller: Caller
    ) -> str:
        """Create the first account and sign it in; return the value of its session cookie.

        Raises:
            NotAllowed: when the link is not ours or too old.
            InvalidInput: when name, address or password cannot be used.
            Conflict: when there is an account already.
        """
        try:
            self._tokens.check_setup(token)
        except NotSignedIn as error:
            raise NotAllowed(
                "This link is not valid (any more). Start RxChat again: it prints a new one while there is no account."
            ) from error
        name, email, password = valid_name(name), valid_email(email), valid_password(password)
        hashed = await self._passwords.hash(password)
        user_id = new_id()
        async with self._database.begin(user_id) as session:
            created = await rows.create_first_administrator(
                session, user_id, email=email, name=name, password_hash=hashed
            )
            if not created:
                raise Conflict("There is an administrator already. Please sign in.")
            await audit.append(session, user_id, "first_administrator_created", caller.address, correlation_id())
        log.info("the first administrator was created", user_id=str(user_id))
        return await self._signed_in(Viewer(user_id, new_id(), name, email, UserRole.ADMIN), caller)

    async def sign_in(self, email: str, password: str, caller: Caller) -> str:
        """Check a password and return the value of a new session cookie.

        Raises:
            NotSignedIn: in every case of failure, with the same words and after the same work.
        """
        async with self._database.begin(None) as session:
            account = await rows.by_email(session, email.strip()[:254].replace("\x00", ""))
        matches = await self._passwords.matches(password[:10_000], account.password_hash if account else None)
        if account is None or not matches or account.is_suspended:
            observability.SIGN_INS.labels("refused").inc()
            async with self._database.begin(None) as session:
                actor = account.id if account else None
                await audit.append(session, actor, "sign_in_refused", caller.address, correlation_id())
            raise NotSignedIn(_WRONG)
        observability.SIGN_INS.labels("signed_in").inc()
        viewer = Viewer(account.id, new_id(), account.name, account.email, UserRole(account.role))
        return await self._signed_in(viewer, caller)

    async def _signed_in(self, viewer: Viewer, caller: Caller) -> str:
        row = UserSession(
            user_id=viewer.user_id,
            id=viewer.session_id,
            expires_at=datetime.now(UTC) + self.absolute,
            address=caller.address[:100],
            user_agent=caller.user_agent[:300],
        )
        async with self._database.begin(viewer.user_id) as session:
            await rows.open_session(session, row)
            await audit.append(session, viewer.user_id, "signed_in", caller.address, correlation_id())
        return self._tokens.session(SessionToken(viewer.user_id, viewer.session_id), self.absolute)

    async def viewer(self, sealed: str) -> Viewer:
        """Return who is behind a session cookie, as the server's record has it now.

        Raises:
            NotSignedIn: when the cookie or its record does not count (any more).
        """
        token = self._tokens.open_session(sealed)
        async with self._database.begin(token.user_id) as session:
            found = await rows.live_session(session, token.user_id, token.session_id, self._idle)
            if found is None:
                raise NotSignedIn
            user, last_seen_at = found
            if datetime.now(UTC) - last_seen_at > _SEEN_EVERY:
                await rows.touch_session(session, token.user_id, token.session_id)
        return Viewer(token.user_id, token.session_id, user.name, user.email, UserRole(user.role))

    async def sign_out(self, viewer: Viewer, caller: Caller) -> None:
        """End this sign-in, wherever its cookie may still be."""
        async with self._database.begin(viewer.user_id) as session:
            await rows.end_session(session, viewer.user_id, viewer.session_id)
            await audit.append(session, viewer.user_id, "signed_out", caller.address, correlation_id())
