"""Any OpenID Connect provider that describes itself: discovery, the code flow with PKCE and nonce, ID tokens."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authlib.common.security import generate_token

from rxchat.adapters.sign_in.id_tokens import KEEP_SECONDS, Keys, checked
from rxchat.adapters.sign_in.oauth_client import (
    CALL_SECONDS,
    Calls,
    UntrustedResponse,
    check_state,
    code_of,
    needed,
    text_of,
    translated,
)
from rxchat.domain.errors import AddressEmpty, AddressMissing, AddressUnconfirmed, AddressUnsaid
from rxchat.domain.sign_in_providers import (
    AuthorizationRequest,
    ExternalIdentity,
    ProviderInfo,
    ProviderKind,
    external_identity,
    is_private_line,
)


@dataclass(frozen=True, slots=True)
class Discovery:
    """The validated fields of a provider's discovery document."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str
    jwks_uri: str
    client_authentication: str
    names_issuer: bool


class OidcSignIn:
    """Sign-in with a provider that is known by its issuer alone."""

    def __init__(
        self,
        issuer: str,
        client_id: str,
        client_secret: str = "",
        *,
        label: str = "single sign-on",
        scopes: str = "openid email profile",
        trusts_email: bool = False,
        key: str = "oidc",
        seconds: float = CALL_SECONDS,
    ) -> None:
        self.info = ProviderInfo(key, label, ProviderKind.OIDC)
        self._issuer = issuer
        self._secret = client_secret
        self._scopes = scopes
        self._trusts_email = trusts_email
        self._calls = Calls(client_id, seconds=seconds)
        self._keys = Keys(self._calls)
        self._known: Discovery | None = None
        self._known_until = 0.0

    async def depart(self, redirect_uri: str) -> AuthorizationRequest:
        """Return where to send a browser; see the SignInProvider port.

        Raises:
            ProviderError: each failure as the subclass that says what it was.
        """
        with translated(self.info.key):
            known = await self._discovery()
            return self._calls.departure(
                self.info.key, known.authorization_endpoint, redirect_uri, scope=self._scopes, nonce=generate_token(43)
            )

    async def arrive(self, departure: AuthorizationRequest, answer: Mapping[str, str]) -> ExternalIdentity:
        """Return whose account it is; see the SignInProvider port.

        Raises:
            ProviderError: each failure as the subclass that says what it was.
        """
        with translated(self.info.key):
            check_state(self.info.key, departure, answer)
            known = await self._discovery()
            code = code_of(departure, answer, {known.issuer}, names_issuer=known.names_issuer)
            tokens = await self._calls.tokens(
                known.token_endpoint,
                departure,
                code,
                secret=self._secret,
                method=known.client_authentication if self._secret else "none",
            )
            claims = checked(
                await self._keys.claims(known.jwks_uri, needed(tokens, "id_token")),
                issuer=known.issuer,
                client_id=self._calls.client_id,
                nonce=departure.nonce,
            )
            if not text_of(claims, "email") and known.userinfo_endpoint:
                said = {name: value for name, value in claims.items() if value not in ("", None)}
                claims = {**await self._userinfo(known, tokens, claims), **said}
            return account_of(known.issuer, claims, trusts_email=self._trusts_email)

    async def _userinfo(
        self, known: Discovery, tokens: Mapping[str, Any], claims: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return the claims of the userinfo endpoint: many providers omit name and address in the ID token."""
        said = await self._calls.read(known.userinfo_endpoint, bearer=needed(tokens, "access_token"))
        if needed(said, "sub") != claims["sub"]:
            raise UntrustedResponse("the userinfo names another subject")
        return said

    async def _discovery(self) -> Discovery:
        if self._known is None or time.monotonic() >= self._known_until:
            document = await self._calls.read(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
            self._known = believed(self._issuer, document)
            self._known_until = time.monotonic() + KEEP_SECONDS
        return self._known


def account_of(
    issuer: str, claims: Mapping[str, Any], *, name: str = "", trusts_email: bool = False
) -> ExternalIdentity:
    """Return the account of validated claims; with `trusts_email`, an address needs no `email_verified`."""
    email = text_of(claims, "email")
    verified = claims.get("email_verified")
    problem = ""
    if not email:
        problem = AddressMissing.code if "email" not in claims else AddressEmpty.code
    elif verified is None and not trusts_email:
        problem = AddressUnsaid.code
    elif verified is not None and verified is not True and verified != "true":
        # Some providers, such as Apple, send the string "true". A number is refused, although 1 == True in Python.
        problem = AddressUnconfirmed.code
    return external_identity(
        issuer,
        needed(claims, "sub"),
        email=email,
        email_verified=not problem,
        email_problem=problem,
        name=name or text_of(claims, "name") or text_of(claims, "preferred_username"),
    )


def believed(issuer: str, document: Mapping[str, Any]) -> Discovery:
    """Validate a discovery document: its issuer, and that its endpoints use https.

    Raises:
        UntrustedResponse: if it is another issuer's, or an endpoint is not https.
    """
    said = needed(document, "issuer")
    # Some issuers' names end in a slash, which operators easily omit in the setting.
    if said.rstrip("/") != issuer.rstrip("/"):
        raise UntrustedResponse("the discovery document is of another issuer")
    is_local = issuer.startswith("http://")
    methods = document.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    return Discovery(
        issuer=said,
        authorization_endpoint=_endpoint(document, "authorization_endpoint", is_local=is_local),
        token_endpoint=_endpoint(document, "token_endpoint", is_local=is_local),
        userinfo_endpoint=_endpoint(document, "userinfo_endpoint", is_local=is_local, is_needed=False),
        jwks_uri=_endpoint(document, "jwks_uri", is_local=is_local),
        client_authentication="client_secret_basic" if "client_secret_basic" in methods else "client_secret_post",
        names_issuer=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _endpoint(document: Mapping[str, Any], name: str, *, is_local: bool, is_needed: bool = True) -> str:
    if not is_needed and name not in document:
        return ""
    address = needed(document, name)
    if not is_private_line(address) or not (is_local or address.startswith("https:")):
        raise UntrustedResponse(f"the {name} is not https")
    return address
