"""Sealed tokens: PASETO v4.local (https://paseto.io), one key and one assertion for each purpose."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pyseto
from pyseto import Key

from rxchat.domain.errors import NotSignedIn
from rxchat.domain.ids import parse_id

_SESSION = b"rxchat session v1"
_SETUP = b"rxchat first administrator v1"
_SETUP_HOURS = 24
_LONGEST = 2_000


@dataclass(frozen=True, slots=True)
class SessionToken:
    """What a session cookie says; the server's record decides whether it still counts."""

    user_id: UUID
    session_id: UUID


class Tokens:
    """Seals and opens tokens with keys derived from the installation's secret."""

    def __init__(self, secret: bytes) -> None:
        """Derive a key for each purpose, so that a token of one can never pass for another."""
        self._keys = {
            purpose: Key.new(version=4, purpose="local", key=hmac.new(secret, purpose, hashlib.sha256).digest())
            for purpose in (_SESSION, _SETUP)
        }

    def session(self, token: SessionToken, lifetime: timedelta) -> str:
        """Return the value of a session cookie."""
        facts = {"uid": str(token.user_id), "sid": str(token.session_id)}
        return self._sealed(_SESSION, facts, lifetime)

    def open_session(self, sealed: str) -> SessionToken:
        """Return what a session cookie says.

        Raises:
            NotSignedIn: when it is not one of ours, altered, or past its time.
        """
        facts = self._opened(_SESSION, sealed)
        user_id, session_id = parse_id(facts.get("uid")), parse_id(facts.get("sid"))
        if user_id is None or session_id is None:
            raise NotSignedIn
        return SessionToken(user_id, session_id)

    def setup(self) -> str:
        """Return the token of a link that may create the first administrator."""
        return self._sealed(_SETUP, {}, timedelta(hours=_SETUP_HOURS))

    def check_setup(self, sealed: str) -> None:
        """Check the token of such a link.

        Raises:
            NotSignedIn: when it is not one of ours, or past its time.
        """
        self._opened(_SETUP, sealed)

    def _sealed(self, purpose: bytes, facts: dict[str, str], lifetime: timedelta) -> str:
        sealed = pyseto.encode(
            self._keys[purpose],
            payload=facts,
            serializer=json,
            implicit_assertion=purpose,
            exp=int(lifetime.total_seconds()),
        )
        return sealed.decode()

    def _opened(self, purpose: bytes, sealed: str) -> dict[str, object]:
        if not sealed or len(sealed) > _LONGEST:
            raise NotSignedIn
        try:
            token = pyseto.decode(self._keys[purpose], sealed, implicit_assertion=purpose, deserializer=json)
        except (pyseto.PysetoError, ValueError, TypeError) as error:
            raise NotSignedIn from error
        if not isinstance(token.payload, dict) or "exp" not in token.payload:
            raise NotSignedIn
        return token.payload
