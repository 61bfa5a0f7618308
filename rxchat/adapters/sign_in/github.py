"""GitHub and GitHub Enterprise as a sign-in provider: OAuth without OpenID; the API returns the account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
from rxchat.domain.sign_in_providers import (
    AuthorizationRequest,
    ExternalIdentity,
    ProviderInfo,
    ProviderKind,
    external_identity,
)

PUBLIC_URL = "https://github.com"
PUBLIC_API_URL = "https://api.github.com"
_JSON = "application/vnd.github+json"
# Permits reading the account and its addresses, and no repositories.
_SCOPE = "read:user user:email"


class GitHubSignIn:
    """Sign-in with a GitHub account."""

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        *,
        url: str = PUBLIC_URL,
        api_url: str = "",
        seconds: float = CALL_SECONDS,
    ) -> None:
        self.info = ProviderInfo("github", "GitHub", ProviderKind.GITHUB)
        self._url = url.rstrip("/")
        self._api_url = api_url.rstrip("/") or (PUBLIC_API_URL if self._url == PUBLIC_URL else f"{self._url}/api/v3")
        self._secret = client_secret
        self._calls = Calls(client_id, seconds=seconds)

    async def depart(self, redirect_uri: str) -> AuthorizationRequest:
        """Return the authorization request for a browser; see the SignInProvider port.

        Raises:
            ProviderError: each failure as the subclass that says what it was.
        """
        with translated(self.info.key):
            endpoint = f"{self._url}/login/oauth/authorize"
            return self._calls.departure(self.info.key, endpoint, redirect_uri, scope=_SCOPE)

    async def arrive(self, departure: AuthorizationRequest, answer: Mapping[str, str]) -> ExternalIdentity:
        """Return the external account; see the SignInProvider port.

        Raises:
            ProviderError: each failure as the subclass that says what it was.
        """
        with translated(self.info.key):
            check_state(self.info.key, departure, answer)
            code = code_of(departure, answer, {self._url, f"{self._url}/login/oauth"})
            tokens = await self._calls.tokens(
                f"{self._url}/login/oauth/access_token",
                departure,
                code,
                secret=self._secret,
                method="client_secret_post",
            )
            bearer = needed(tokens, "access_token")
            user = await self._calls.read(f"{self._api_url}/user", bearer=bearer, accept=_JSON)
            emails = await self._calls.read(f"{self._api_url}/user/emails?per_page=100", bearer=bearer, accept=_JSON)
            email = _primary(emails)
            return external_identity(
                self._url,
                _subject(user),
                email=email,
                email_verified=bool(email),
                name=text_of(user, "name") or text_of(user, "login"),
            )


def _subject(user: Mapping[str, Any]) -> str:
    """Return the ID of an account, since another user can take its login after a rename."""
    number = user["id"]
    if type(number) is not int or number <= 0:
        raise UntrustedResponse("the user has no id")
    return str(number)


def _primary(emails: Any) -> str:
    """Return the primary address if GitHub has verified it, otherwise ""."""
    if not isinstance(emails, list):
        raise UntrustedResponse("the addresses are not a list")
    for row in emails:
        if row["primary"] is True and row["verified"] is True:
            return needed(row, "email")
    return ""
