"""Sign-in with external accounts: the request, the values kept meanwhile, and the response."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import urlsplit

from rxchat.domain.accounts import valid_email, valid_name
from rxchat.domain.errors import InvalidInput, InvalidProviderResponse
from rxchat.domain.text import sanitize

SUBJECT_CHARACTERS = 255
NAME_CHARACTERS = 100


class ProviderKind(StrEnum):
    """The protocol of a provider."""

    GITHUB = "github"
    APPLE = "apple"
    OIDC = "oidc"


@dataclass(frozen=True, slots=True)
class ProviderInfo:
    """A provider as the sign-in page shows it."""

    key: str
    """Its name in addresses."""
    label: str
    """Its name for users: "Sign in with ..."."""
    kind: ProviderKind


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A sign-in in progress at a provider, encrypted in a cookie of the browser until it returns.

    A response is valid only together with it. A response without the browser's cookie is useless to an attacker, and
    an attacker's response cannot be used in this browser.
    """

    provider: str
    url: str = field(repr=False)
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class ExternalIdentity:
    """An external account: issuer and subject identify it permanently; all other fields may change."""

    issuer: str
    subject: str
    email: str
    """The address that the provider sent; "" if it sent none."""
    email_verified: bool
    """Whether the provider says that the user owns the address."""
    name: str
    """The user's name at the provider; "" if it sent none."""
    email_problem: str = ""
    """The code of the error if the address cannot be used; "" if it can."""


def external_identity(
    issuer: str, subject: str, *, email: str, email_verified: bool, name: str, email_problem: str = ""
) -> ExternalIdentity:
    """Return the external account of a provider's response; invalid addresses and names are left out.

    Raises:
        InvalidProviderResponse: when the subject is missing or invalid.
    """
    if not subject.strip() or len(subject) > SUBJECT_CHARACTERS or sanitize(subject) != subject:
        raise InvalidProviderResponse
    try:
        email = valid_email(email)
    except InvalidInput:
        email = ""
    try:
        name = valid_name(name[:NAME_CHARACTERS])
    except InvalidInput:
        name = ""
    return ExternalIdentity(issuer, subject, email, email_verified and bool(email), name, email_problem)


def is_private_line(address: str) -> bool:
    """Whether a connection cannot be intercepted: https, or http within this machine."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    if not host or port == 0 or parts.username is not None or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
