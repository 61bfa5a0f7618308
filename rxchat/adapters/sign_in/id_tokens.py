"""ID tokens: who signed them, for whom, in answer to which question; the provider's keys are kept for a while."""

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
"""How far a provider's clock may be ahead: its tokens begin in our future then."""
LONGEST_SECONDS = 366 * 86_400
"""How long an ID token may hold; those of providers hold for minutes or hours."""

# Signatures that only the provider can make, and no others: never "none", never one with a shared secret.
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")
# In base64 characters, of six bits each.
_SHORTEST_MODULUS = 2048 // 6 + 1

PublicKey = RSAKey | ECKey | OKPKey
_KINDS: dict[str, type[PublicKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}


class _Allowed(JWSRegistry):
    """The algorithms above, and no others."""

    algorithms = {name: JWSRegistry.algorithms[name] for name in ALGORITHMS}
    max_header_length = 8192

    def get_alg(self, name: str) -> Any:
        if name not in self.algorithms:
            raise UnsupportedAlgorithmError(f"Algorithm of '{name}' is not allowed")
        return self.algorithms[name]


# Providers put fields of their own into the header; RFC 7515 has them ignored, except those that `crit` names.
_REGISTRY = _Allowed(strict_check_header=False)


class UnknownKey(UntrustedResponse):
    """No key of the provider's fits the token."""


class Keys:
    """The keys with which a provider signs: kept for an hour, and fetched once more when a token fits none."""

    def __init__(self, calls: Calls) -> None:
        """Keep none yet."""
        self._calls = calls
        self._kept: Sequence[PublicKey] = ()
        self._kept_until = 0.0

    async def claims(self, uri: str, token: str) -> Mapping[str, Any]:
        """Return what a token says that one of the keys at this address has signed.

        Raises:
            JoseError, Distrusted: when none has.
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
    """Return the claims of a signed token if they are this issuer's, for this client, now, and in answer to us.

    Raises:
        JoseError, Distrusted: when they are not.
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
    """Return a key for signatures; what is for another purpose, too short or not understood is passed over."""
    try:
        if data.get("use", "sig") != "sig" or (data["kty"] == "RSA" and len(data["n"]) < _SHORTEST_MODULUS):
            return None
        return _KINDS[data["kty"]].import_key(data)
    except (JoseError, UnsupportedAlgorithm, ValueError, TypeError, LookupError, AttributeError):
        return None
