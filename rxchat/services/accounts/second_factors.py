"""Second factors: TOTP codes of an authenticator app (RFC 6238), and recovery codes."""

from __future__ import annotations

import asyncio
import io
import secrets
import time
from dataclasses import dataclass
from uuid import UUID

import segno
from pyotp import random_base32
from pyotp.totp import TOTP

from rxchat.db.accounts import accounts as account_rows
from rxchat.db.accounts import credentials as rows
from rxchat.db.accounts import sessions as session_rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.errors import Conflict, InvalidInput, NotFound
from rxchat.services.accounts.sessions import Sessions
from rxchat.services.platform.audit import record
from rxchat.services.platform.encryption import SecretBox

_PURPOSE = "totp"
_CODES_PURPOSE = "recovery code"
_STEP_SECONDS = 30
_CODES = 10
# Without characters that look alike on paper: 0 and o, 1 and l and i.
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
ISSUER = "RxChat"


@dataclass(frozen=True, slots=True)
class TotpEnrollment:
    """The secret for an authenticator app: shown once, and enabled by its first correct code."""

    secret: str
    uri: str
    picture: str
    """The address as a QR code, an SVG of shapes only."""


@dataclass(frozen=True, slots=True)
class SecondFactorStatus:
    """The second factors of a user."""

    has_totp: bool
    recovery_codes_left: int
    passkeys: tuple[tuple[UUID, str], ...]


class SecondFactors:
    """Use cases for authenticator apps and recovery codes."""

    def __init__(self, database: Database, secret_box: SecretBox, sessions: Sessions) -> None:
        self._database = database
        self._secret_box = secret_box
        self._sessions = sessions

    async def status(self, current_user: CurrentUser) -> SecondFactorStatus:
        """Return the user's second factors."""
        async with self._database.begin(current_user.user_id) as session:
            secret = await rows.totp(session, current_user.user_id)
            left = await rows.recovery_codes_left(session, current_user.user_id)
            passkeys = await rows.passkeys(session, current_user.user_id)
        has_totp = secret is not None and secret.confirmed_at is not None
        return SecondFactorStatus(has_totp, left, tuple((item.id, item.name) for item in passkeys))

    async def begin_totp(self, current_user: CurrentUser) -> TotpEnrollment:
        """Create a secret for an authenticator app; `confirm_totp` enables it with a code.

        Raises:
            Conflict: when the user already has an authenticator app.
        """
        secret = random_base32(32)
        sealed = self._secret_box.seal(_PURPOSE, str(current_user.user_id), secret.encode())
        async with self._database.begin(current_user.user_id) as session:
            await account_rows.require_reauthenticated(session, current_user)
            if not await rows.begin_totp(session, current_user.user_id, sealed):
                raise Conflict("You already have an authenticator app. Remove it first to set up another one.")
        uri = TOTP(secret).provisioning_uri(name=current_user.email, issuer_name=ISSUER)
        return TotpEnrollment(secret, uri, await asyncio.to_thread(_picture, uri))

    async def confirm_totp(self, current_user: CurrentUser, code: str, client_info: ClientInfo) -> list[str]:
        """Enable the authenticator app with its first code, and return ten recovery codes.

        Raises:
            InvalidInput: when the code is wrong.
            NotFound: when no setup was started.
        """
        async with self._database.begin(current_user.user_id) as session:
            await account_rows.require_reauthenticated(session, current_user)
            secret = await rows.totp(session, current_user.user_id)
            if secret is None or secret.confirmed_at is not None:
                raise NotFound("The setup has expired. Start it again.")
            step = self._step_of(current_user.user_id, secret.encrypted_secret, code)
            if step is None or not await rows.use_totp_step(session, current_user.user_id, step):
                raise InvalidInput("Wrong code. Check the clock of your phone, and enter the code that it shows now.")
            codes = await self._new_codes(session, current_user.user_id)
            # Existing sessions have not used this factor.
            await session_rows.end(
                session, current_user.user_id, but=current_user.session_id, reason="second factor added"
            )
            await record(session, current_user.user_id, "totp_added", client_info)
        await self._sessions.show_second_factor(current_user)
        return codes

    async def remove_totp(self, current_user: CurrentUser, client_info: ClientInfo) -> None:
        """Remove the authenticator app, and the recovery codes unless a passkey still needs them.

        Raises:
            NotFound: when the user has none.
        """
        async with self._database.begin(current_user.user_id) as session:
            await account_rows.require_reauthenticated(session, current_user)
            if not await rows.remove_totp(session, current_user.user_id):
                raise NotFound("You have no authenticator app.")
            if not await rows.passkeys(session, current_user.user_id):
                await rows.replace_recovery_codes(session, current_user.user_id, [])
            await record(session, current_user.user_id, "totp_removed", client_info)

    async def regenerate_codes(self, current_user: CurrentUser, client_info: ClientInfo) -> list[str]:
        """Return ten new recovery codes; the earlier ones stop working."""
        async with self._database.begin(current_user.user_id) as session:
            await account_rows.require_reauthenticated(session, current_user)
            codes = await self._new_codes(session, current_user.user_id)
            await record(session, current_user.user_id, "recovery_codes_renewed", client_info)
        return codes

    async def verify(self, user_id: UUID, code: str, client_info: ClientInfo) -> bool:
        """Whether a code of the app or a recovery code is correct; this consumes it."""
        code = "".join(character for character in code.lower() if character.isalnum())[:64]
        async with self._database.begin(user_id) as session:
            secret = await rows.totp(session, user_id)
            if code.isascii() and code.isdigit() and len(code) == 6:
                step = self._step_of(user_id, secret.encrypted_secret, code) if secret and secret.confirmed_at else None
                return step is not None and await rows.use_totp_step(session, user_id, step)
            taken = await rows.use_recovery_code(session, user_id, self._digest(user_id, code))
            if taken:
                left = await rows.recovery_codes_left(session, user_id)
                await record(session, user_id, "recovery_code_used", client_info, codes_left=left)
            return taken

    def _step_of(self, user_id: UUID, sealed: bytes, code: str) -> int | None:
        """Return the time step of a code: the current, previous or next one, as RFC 6238 recommends."""
        app = TOTP(self._secret_box.open(_PURPOSE, str(user_id), sealed).decode())
        code = code.strip().replace(" ", "")
        now = int(time.time()) // _STEP_SECONDS
        for step in (now, now - 1, now + 1):
            if code.isascii() and app.verify(code, for_time=step * _STEP_SECONDS):
                return step
        return None

    async def _new_codes(self, session: rows.AsyncSession, user_id: UUID) -> list[str]:
        codes = ["".join(secrets.choice(_ALPHABET) for _ in range(12)) for _ in range(_CODES)]
        await rows.replace_recovery_codes(session, user_id, [self._digest(user_id, code) for code in codes])
        return [f"{code[:4]}-{code[4:8]}-{code[8:]}" for code in codes]

    def _digest(self, user_id: UUID, code: str) -> bytes:
        return self._secret_box.digest(_CODES_PURPOSE, f"{user_id} {code}")


def _picture(uri: str) -> str:
    drawn = io.BytesIO()
    segno.make(uri, error="m").save(drawn, kind="svg", scale=4, border=2, xmldecl=False, svgns=True)
    return drawn.getvalue().decode()
