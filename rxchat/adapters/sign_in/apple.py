"""Apple as a sign-in provider: OpenID Connect with deviations.

Apple posts the answer as a form (from another site, so browsers only send SameSite=None cookies with it), the client
secret is a short-lived JWT that RxChat signs, and the name is sent only with the first answer, outside the ID token. A
browser can change fields outside the ID token, so they are used for the name only.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping

from authlib.common.security import generate_token
from joserfc import jwt
from joserfc.jwk import ECKey

from rxchat.adapters.sign_in.id_tokens import Keys, checked
from rxchat.adapters.sign_in.oauth_client import CALL_SECONDS, Calls, check_state, code_of, needed, text_of, translated
from rxchat.adapters.sign_in.oidc import account_of
from rxchat.domain.sign_in_providers import AuthorizationRequest, ExternalIdentity, ProviderInfo, ProviderKind

PUBLIC_URL = "https://appleid.apple.com"
_SECRET_SECONDS = 300


class AppleSignIn:
    """Sign-in with an Apple account."""

    def __init__(
        self,
        client_id: str,
        *,
        team_id: str,
        key_id: str,
        private_key: str,
        url: str = PUBLIC_URL,
        seconds: float = CALL_SECONDS,
    ) -> None:
        self.info = ProviderInfo("apple", "Apple", ProviderKind.APPLE)
        self._url = url.rstrip("/")
        self._team_id = team_id
        self._key_id = key_id
        self._private_key = ECKey.import_key(private_key)
        self._calls = Calls(client_id, seconds=seconds)
        self._keys = Keys(self._calls)

    async def depart(self, redirect_uri: str) -> AuthorizationRequest:
        """Return the authorization request for a browser; see the SignInProvider port.

        Raises:
            ProviderError: each failure as the subclass that says what it was.
        """
        with translated(self.info.key):
            return self._calls.departure(
                self.info.key,
                f"{self._url}/auth/authorize",
                redirect_uri,
                scope="name email",
                # Apple does not document PKCE; the nonce and the client secret bind the code.
                has_pkce=False,
                nonce=generate_token(43),
                response_mode="form_post",
            )

    async def arrive(self, departure: AuthorizationRequest, answer: Mapping[str, str]) -> ExternalIdentity:
        """Return the external account, given the fields of the posted form; see the SignInProvider port.

        Raises:
            ProviderError: each failure as the subclass that says what it was.
        """
        with translated(self.info.key):
            check_state(self.info.key, departure, answer)
            code = code_of(departure, answer, {self._url})
            tokens = await self._calls.tokens(
                f"{self._url}/auth/token", departure, code, secret=self._client_secret(), method="client_secret_post"
            )
            claims = checked(
                await self._keys.claims(f"{self._url}/auth/keys", needed(tokens, "id_token")),
                issuer=self._url,
                client_id=self._calls.client_id,
                nonce=departure.nonce,
            )
            return account_of(self._url, claims, name=_name(answer.get("user", "")))

    def _client_secret(self) -> str:
        now = int(time.time())
        claims = {"iss": self._team_id, "iat": now, "exp": now + _SECRET_SECONDS, "aud": self._url}
        header = {"alg": "ES256", "kid": self._key_id}
        return jwt.encode(header, claims | {"sub": self._calls.client_id}, self._private_key)


def _name(user: str) -> str:
    """Return the name in the form's `user` field; "" if it is missing or invalid, which must not fail a sign-in."""
    try:
        name = json.loads(user)["name"]
        return f"{text_of(name, 'firstName')} {text_of(name, 'lastName')}".strip()
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return ""
