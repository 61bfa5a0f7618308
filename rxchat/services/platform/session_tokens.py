"""Encrypted tokens: PASETO v4.local (https://paseto.io), with a key and an assertion for each purpose."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any
from uuid import UUID

import pyseto
from pyseto import Key

from rxchat.domain.errors import NotSignedIn
from rxchat.domain.ids import parse_id

_SETUP_HOURS = 24
_LONGEST = 4_000
_CLOCK_SECONDS = 60


class Purpose(Enum):
    """The purpose of a token; a token is not valid for another purpose."""

    SESSION = b"rxchat session v1"
    SETUP = b"rxchat first administrator v1"
    ACCESS = b"rxchat access v1"
    REFRESH = b"rxchat refresh v1"
    DEVICE = b"rxchat device v1"
    PENDING = b"rxchat second factor v1"
    CHALLENGE = b"rxchat passkey challenge v1"
    DEPARTURE = b"rxchat sign-in elsewhere v1"
    EXPORT = b"rxchat data export v1"
    FILE_LINK = b"rxchat file link v1"


@dataclass(frozen=True, slots=True)
class SessionToken:
    """The content of a session cookie; the server's record decides whether the session is active."""

    user_id: UUID
    session_id: UUID


class SessionTokens:
    """Encrypts and decrypts tokens with keys derived from the installation's secret."""

    def __init__(self, secret: bytes) -> None:
        """Derive a key for each purpose."""
        self._keys = {
            purpose: Key.new(version=4, purpose="local", key=hmac.new(secret, purpose.value, hashlib.sha256).digest())
            for purpose in Purpose
        }

    def session(self, token: SessionToken, lifetime: timedelta, purpose: Purpose = Purpose.SESSION, **more: Any) -> str:
        """Return a token that names a session: for a cookie or a program."""
        return self.seal(purpose, {"uid": str(token.user_id), "sid": str(token.session_id), **more}, lifetime)

    def open_session(self, sealed: str, purpose: Purpose = Purpose.SESSION) -> SessionToken:
        """Return the content of such a token.

        Raises:
            NotSignedIn: when it is invalid, altered or expired.
        """
        facts = self.open(purpose, sealed)
        return SessionToken(id_in(facts, "uid"), id_in(facts, "sid"))

    def setup(self) -> str:
        """Return the token of a link that may create the first administrator."""
        return self.seal(Purpose.SETUP, {}, timedelta(hours=_SETUP_HOURS))

    def check_setup(self, sealed: str) -> None:
        """Validate the token of such a link.

        Raises:
            NotSignedIn: when it is invalid or expired.
        """
        self.open(Purpose.SETUP, sealed)

    def seal(self, purpose: Purpose, facts: dict[str, Any], lifetime: timedelta) -> str:
        """Return an encrypted token with these facts and a lifetime."""
        sealed = pyseto.encode(
            self._keys[purpose],
            payload=facts | {"iat": int(time.time())},
            serializer=json,
            implicit_assertion=purpose.value,
            exp=int(lifetime.total_seconds()),
        )
        return sealed.decode()

    def open(self, purpose: Purpose, sealed: str) -> dict[str, Any]:
        """Return the facts of a token.

        Raises:
            NotSignedIn: when it is invalid, for another purpose, altered, expired or from the future.
        """
        if not sealed or len(sealed) > _LONGEST or sealed.count(".") != 2:
            raise NotSignedIn
        try:
            token = pyseto.decode(self._keys[purpose], sealed, implicit_assertion=purpose.value, deserializer=json)
        except (pyseto.PysetoError, ValueError, TypeError) as error:
            raise NotSignedIn from error
        facts = token.payload
        made = facts.get("iat") if isinstance(facts, dict) else None
        if not isinstance(facts, dict) or "exp" not in facts or not isinstance(made, int):
            raise NotSignedIn
        if made > time.time() + _CLOCK_SECONDS:
            raise NotSignedIn
        return facts


def id_in(facts: dict[str, Any], name: str) -> UUID:
    """Return an identifier from a token's facts.

    Raises:
        NotSignedIn: when it is missing.
    """
    identifier = parse_id(facts.get(name))
    if identifier is None:
        raise NotSignedIn
    return identifier
