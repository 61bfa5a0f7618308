"""Passkeys (https://www.w3.org/TR/webauthn-3/): a second factor, and a way to sign in without a password."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, options_to_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from rxchat.db.accounts import accounts as account_rows
from rxchat.db.accounts import credentials as rows
from rxchat.db.accounts import sessions as session_rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.errors import Conflict, InvalidInput, NotFound, NotSignedIn
from rxchat.domain.ids import new_id
from rxchat.domain.text import clean_line
from rxchat.services.accounts.rate_limits import RateLimits
from rxchat.services.accounts.sessions import Sessions
from rxchat.services.accounts.sign_in import SignIn, SignInResult
from rxchat.services.platform.audit import record
from rxchat.services.platform.session_tokens import Purpose, SessionTokens, id_in
from rxchat.tables import Passkey

_CHALLENGE = timedelta(minutes=5)
_AT_MOST = 20
_REFUSED = "This passkey could not be used. Try again, or sign in with your password."


class Passkeys:
    """Use cases for passkeys.

    A challenge is in an encrypted cookie of the browser that requested it, has one purpose, and is valid once.
    """

    def __init__(
        self,
        database: Database,
        tokens: SessionTokens,
        rate_limits: RateLimits,
        sessions: Sessions,
        sign_in: SignIn,
        *,
        origins: Sequence[str],
    ) -> None:
        """Store the services, and the origins under which browsers reach RxChat."""
        self._database = database
        self._tokens = tokens
        self._rate_limits = rate_limits
        self._sessions = sessions
        self._sign_in = sign_in
        self._origins = list(origins)

    def _rp_id(self, origin: str) -> str:
        """Return the host that a passkey belongs to; IP addresses have no passkeys."""
        host = urlsplit(origin).hostname or ""
        if origin not in self._origins or not any(character.isalpha() for character in host) or ":" in host:
            raise InvalidInput(
                "Passkeys need a host name and do not work with an IP address: open RxChat as localhost or by its host name."
            )
        return host

    def _challenge(
        self, purpose: str, options: Any, user_id: UUID | None, password_version: str = ""
    ) -> tuple[str, str]:
        facts = {
            "for": purpose,
            "c": bytes_to_base64url(options.challenge),
            "jti": str(new_id()),
            "uid": str(user_id or ""),
            "password": password_version,
        }
        return options_to_json(options), self._tokens.seal(Purpose.CHALLENGE, facts, _CHALLENGE)

    async def _challenged(self, purpose: str, sealed: str, user_id: UUID | None, password_version: str = "") -> bytes:
        facts = self._tokens.open(Purpose.CHALLENGE, sealed)
        given = (facts.get("for"), facts.get("uid"), facts.get("password"))
        if given != (purpose, str(user_id or ""), password_version):
            raise NotSignedIn(_REFUSED)
        async with self._database.begin(None) as session:
            if not await session_rows.consume_token(session, id_in(facts, "jti"), datetime.now(UTC) + _CHALLENGE):
                raise NotSignedIn(_REFUSED)
        return base64url_to_bytes(str(facts["c"]))

    async def registration_options(self, current_user: CurrentUser, origin: str) -> tuple[str, str]:
        """Return the options for creating a passkey as JSON, and the encrypted challenge.

        Raises:
            InvalidInput: when the origin is an IP address.
        """
        host = self._rp_id(origin)
        async with self._database.begin(current_user.user_id) as session:
            known = await rows.passkeys(session, current_user.user_id)
        options = webauthn.generate_registration_options(
            rp_id=host,
            rp_name="RxChat",
            user_name=current_user.email,
            user_display_name=current_user.name,
            user_id=current_user.user_id.bytes,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=item.credential_id) for item in known],
        )
        return self._challenge("add", options, current_user.user_id, current_user.password_version)

    async def add(
        self,
        current_user: CurrentUser,
        sealed: str,
        credential: dict[str, Any],
        name: str,
        origin: str,
        client_info: ClientInfo,
    ) -> None:
        """Store a passkey that the browser has created.

        Raises:
            NotSignedIn: when the challenge is invalid, expired or used.
            InvalidInput: when the browser's response is invalid.
            Conflict: when the user has too many passkeys, or this one is already stored.
        """
        host = self._rp_id(origin)
        challenge = await self._challenged("add", sealed, current_user.user_id, current_user.password_version)
        try:
            made = webauthn.verify_registration_response(
                credential=credential, expected_challenge=challenge, expected_rp_id=host, expected_origin=origin,
                require_user_verification=True,
            )  # fmt: skip
        except (WebAuthnException, ValueError, TypeError, KeyError) as error:
            raise InvalidInput("This passkey could not be added. Try again.") from error
        name = clean_line(name)[:60] or "Passkey"
        async with self._database.begin(current_user.user_id) as session:
            await account_rows.require_reauthenticated(session, current_user)
            if len(await rows.passkeys(session, current_user.user_id)) >= _AT_MOST:
                raise Conflict(f"You already have {_AT_MOST} passkeys. Remove one first.")
            if await rows.find_passkey(session, made.credential_id) is not None:
                raise Conflict("This passkey was already added.")
            await rows.add_passkey(
                session,
                Passkey(
                    user_id=current_user.user_id,
                    credential_id=made.credential_id,
                    public_key=made.credential_public_key,
                    sign_count=made.sign_count,
                    name=name,
                ),
            )
            # Existing sessions have not used this factor.
            await session_rows.end(
                session, current_user.user_id, but=current_user.session_id, reason="second factor added"
            )
            await record(session, current_user.user_id, "passkey_added", client_info, name=name)
        await self._sessions.show_second_factor(current_user)

    async def remove(self, current_user: CurrentUser, passkey_id: UUID, client_info: ClientInfo) -> None:
        """Remove a passkey, unless it is the user's last way to sign in.

        Raises:
            NotFound: when the user has no such passkey.
            Conflict: when the user could not sign in without it.
        """
        async with self._database.begin(current_user.user_id) as session:
            await account_rows.require_reauthenticated(session, current_user)
            user = await account_rows.get_own(session, current_user.user_id)
            known = await rows.passkeys(session, current_user.user_id)
            others = await account_rows.identities(session, current_user.user_id)
            if user is not None and user.password_hash is None and not others and len(known) == 1:
                raise Conflict("This is your only way to sign in. Add another one first.")
            if not await rows.remove_passkey(session, current_user.user_id, passkey_id):
                raise NotFound
            await record(
                session,
                current_user.user_id,
                "passkey_removed",
                client_info,
                passkey=str(passkey_id),
            )

    async def authentication_options(self, origin: str, pending: str = "") -> tuple[str, str]:
        """Return the options for using a passkey; after a first step, only passkeys of that user.

        Raises:
            InvalidInput: when the origin is an IP address.
            NotSignedIn: when the first step has expired.
        """
        host, user_id, allowed = self._rp_id(origin), None, None
        if pending:
            user_id = self._sign_in.pending_user(pending)
            async with self._database.begin(user_id) as session:
                known = await rows.passkeys(session, user_id)
            allowed = [PublicKeyCredentialDescriptor(id=item.credential_id) for item in known]
        options = webauthn.generate_authentication_options(
            rp_id=host, allow_credentials=allowed, user_verification=UserVerificationRequirement.REQUIRED
        )
        return self._challenge("use", options, user_id)

    async def sign_in(
        self, sealed: str, credential: dict[str, Any], origin: str, client_info: ClientInfo, pending: str = ""
    ) -> SignInResult:
        """Sign a user in with a passkey: alone, or as the second step.

        Raises:
            NotSignedIn: when the browser's response is invalid.
            TooManyAttempts: after too many attempts.
        """
        host = self._rp_id(origin)
        attempt = await self._rate_limits.attempt("passkey", client_info)
        user_id = self._sign_in.pending_user(pending) if pending else None
        challenge = await self._challenged("use", sealed, user_id)
        found = await self._found(credential)
        if found is None or (user_id is not None and found.user_id != user_id):
            async with self._database.begin(None) as session:
                await record(session, None, "passkey_refused", client_info)
            raise NotSignedIn(_REFUSED)
        try:
            shown = webauthn.verify_authentication_response(
                credential=credential, expected_challenge=challenge, expected_rp_id=host, expected_origin=origin,
                credential_public_key=found.public_key, credential_current_sign_count=found.sign_count,
                require_user_verification=True,
            )  # fmt: skip
        except (WebAuthnException, ValueError, TypeError, KeyError) as error:
            async with self._database.begin(None) as session:
                await record(session, None, "passkey_refused", client_info, account=str(found.user_id))
            raise NotSignedIn(_REFUSED) from error
        async with self._database.begin(found.user_id) as session:
            await rows.use_passkey(session, found.user_id, found.passkey_id, shown.new_sign_count)
            account = await account_rows.find_by_email(session, found.email)
        await self._rate_limits.reset(attempt)
        if pending:
            return await self._sign_in.complete(pending, client_info)
        if account is None:
            raise NotSignedIn(_REFUSED)
        # The authenticator has verified a finger, a face or a PIN, so a passkey counts as two factors.
        return await self._sign_in.admit(account, client_info, method="passkey", second_factor=True)

    async def _found(self, credential: dict[str, Any]) -> rows.FoundPasskey | None:
        try:
            credential_id = base64url_to_bytes(str(credential.get("rawId", "")))
        except (ValueError, TypeError):
            return None
        async with self._database.begin(None) as session:
            return await rows.find_passkey(session, credential_id)


def as_json(text: str) -> Any:
    """Return options in the form that the browser's fetch expects."""
    return json.loads(text)
