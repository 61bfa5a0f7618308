"""Validates ID tokens: signature, issuer, audience, nonce and times; caches the provider's keys."""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from joserfc import jws, jwt
from joserfc.errors import BadSignatureError, JoseError, UnsupportedAlgorithmError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from rxchat.adapters.sign_in.oauth_client import Calls, UntrustedResponse

KEEP_SECONDS = 3600.0
LEEWAY_SECONDS = 30
AHEAD_SECONDS = 120
"""How far a provider's clock may be ahead of this machine's."""
LONGEST_SECONDS = 366 * 86_400
"""The longest lifetime of an ID token; providers use minutes or hours."""

# Asymmetric signatures only: never "none", never one with a shared secret.
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")
# In base64 characters, of six bits each.
_SHORTEST_MODULUS = 2048 // 6 + 1

PublicKey = RSAKey | ECKey | OKPKey
_KINDS: dict[str, type[PublicKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}


class _Allowed(JWSRegistry):
    """Allows the algorithms above, and no others."""

    algorithms = {name: JWSRegistry.algorithms[name] for name in ALGORITHMS}
    max_header_length = 8192

    def get_alg(self, name: str) -> Any:
        if name not in self.algorithms:
            raise UnsupportedAlgorithmError(f"Algorithm of '{name}' is not allowed")
        return self.algorithms[name]


# Providers add other fields to the header; by RFC 7515 they are ignored, unless `crit` names them.
_REGISTRY = _Allowed(strict_check_header=False)


class UnknownKey(UntrustedResponse):
    """None of the provider's keys matches the token."""


class Keys:
    """A provider's signing keys: cached for an hour, and fetched again if a token matches none of them."""

    def __init__(self, calls: Calls) -> None:
        """Start with an empty cache."""
        self._calls = calls
        self._kept: Sequence[PublicKey] = ()
        self._kept_until = 0.0

    async def claims(self, uri: str, token: str) -> Mapping[str, Any]:
        """Return the claims of a token that one of the keys at `uri` has signed.

        Raises:
            JoseError, UntrustedResponse: if none has.
        """
        try:
            return _signed(token, await self._keys(uri))
        except (UnknownKey, BadSignatureError):
            # The provider may have changed its keys since.
            return _signed(token, await self._fetched(uri))

    async def _keys(self, uri: str) -> Sequence[PublicKey]:
        if time.monotonic() < self._kept_until:
            return self._kept
        return await self._fetched(uri)

    async def _fetched(self, uri: str) -> Sequence[PublicKey]:
        answer = await self._calls.read(uri)
        self._kept = [key for data in answer["keys"] if (key := _imported(data)) is not None]
        self._kept_until = time.monotonic() + KEEP_SECONDS
        return self._kept


def checked(claims: Mapping[str, Any], *, issuer: str, client_id: str, nonce: str) -> Mapping[str, Any]:
    """Return the claims of a signed token if issuer, audience, times and nonce are valid.

    Raises:
        JoseError, UntrustedResponse: if they are not.
    """
    begins = [claims[name] for name in ("iat", "nbf") if name in claims]
    if not all(isinstance(at, (int, float)) for at in begins) or "iat" not in claims:
        raise UntrustedResponse("the ID token does not say when it was issued")
    ahead = max(begins) - time.time()
    if ahead > AHEAD_SECONDS:
        raise UntrustedResponse(
            f"the provider's clock is {ahead:.0f} s ahead of this machine's clock: set both right (NTP)"
        )
    expires = claims.get("exp")
    if isinstance(expires, (int, float)) and not expires - time.time() < LONGEST_SECONDS:
        raise UntrustedResponse("the ID token is valid for too long")
    jwt.JWTClaimsRegistry(
        leeway=LEEWAY_SECONDS,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": client_id},
        sub={"essential": True},
        exp={"essential": True},
    ).validate({name: value for name, value in claims.items() if name not in {"iat", "nbf"}})
    audience = claims["aud"]
    is_shared = isinstance(audience, list) and len(audience) > 1
    if (is_shared or "azp" in claims) and claims.get("azp") != client_id:
        raise UntrustedResponse("the ID token is for another client")
    answered = claims.get("nonce")
    if not nonce or not isinstance(answered, str) or not hmac.compare_digest(answered.encode(), nonce.encode()):
        raise UntrustedResponse("the ID token's nonce does not match this authorization request")
    return claims


def _signed(token: str, keys: Sequence[PublicKey]) -> Mapping[str, Any]:
    header = jws.extract_compact(token.encode(), registry=_REGISTRY).headers()
    algorithm = _REGISTRY.get_alg(header["alg"])
    fitting = [key for key in keys if key.key_type == algorithm.key_type]
    if (kid := header.get("kid")) is not None:
        fitting = [key for key in fitting if key.kid == kid]
    if len(fitting) != 1:
        raise UnknownKey("no key matches the ID token")
    return jwt.decode(token, fitting[0], registry=_REGISTRY).claims


def _imported(data: Any) -> PublicKey | None:
    """Return a signing key; None if it has another purpose, or is too short or unknown."""
    try:
        if data.get("use", "sig") != "sig" or (data["kty"] == "RSA" and len(data["n"]) < _SHORTEST_MODULUS):
            return None
        return _KINDS[data["kty"]].import_key(data)
    except (JoseError, UnsupportedAlgorithm, ValueError, TypeError, LookupError, AttributeError):
        return None
