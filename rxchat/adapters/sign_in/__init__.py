"""External login: GitHub, Apple and providers with OpenID Connect, through Authlib and joserfc."""

from __future__ import annotations

from pydantic import SecretStr

from rxchat.adapters.sign_in.apple import AppleSignIn
from rxchat.adapters.sign_in.github import GitHubSignIn
from rxchat.adapters.sign_in.oidc import OidcSignIn
from rxchat.domain.ports import SignInProvider
from rxchat.settings import Settings

__all__ = ["AppleSignIn", "GitHubSignIn", "OidcSignIn", "providers"]


def providers(settings: Settings) -> tuple[SignInProvider, ...]:
    """Return the providers whose client ID is set, in the order of the sign-in page."""
    found: list[SignInProvider] = []
    if settings.github_client_id:
        found.append(
            GitHubSignIn(
                settings.github_client_id,
                _secret(settings.github_client_secret),
                url=settings.github_url,
                api_url=settings.github_api_url,
            )
        )
    if settings.apple_client_id:
        found.append(
            AppleSignIn(
                settings.apple_client_id,
                team_id=settings.apple_team_id,
                key_id=settings.apple_key_id,
                private_key=_secret(settings.apple_private_key),
                url=settings.apple_url,
            )
        )
    if settings.oidc_client_id:
        found.append(
            OidcSignIn(
                settings.oidc_issuer,
                settings.oidc_client_id,
                _secret(settings.oidc_client_secret),
                label=settings.oidc_name,
                scopes=settings.oidc_scopes,
                trusts_email=settings.oidc_trust_email,
            )
        )
    return tuple(found)


def _secret(value: SecretStr | None) -> str:
    return value.get_secret_value() if value else ""
