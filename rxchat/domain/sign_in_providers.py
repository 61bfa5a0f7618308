"""Signing in with an account that somebody has elsewhere: what is asked, what is kept meanwhile, what comes back."""

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
    """Which protocol a provider speaks."""

    GITHUB = "github"
    APPLE = "apple"
    OIDC = "oidc"


@dataclass(frozen=True, slots=True)
class ProviderInfo:
    """A provider as the sign-in page offers it."""

    key: str
    """Its name in addresses."""
    label: str
    """Its name for people: "Sign in with ..."."""
    kind: ProviderKind


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """Somebody on the way to a provider: sealed into a cookie of that browser until it comes back.

    The answer is worth something only together with this. Who holds an answer and not the browser's cookie cannot
    use it, and an answer that somebody else got cannot be pushed on this browser.
    """

    provider: str
    url: str = field(repr=False)
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class ExternalIdentity:
    """An account elsewhere: issuer and subject say whose it is, for ever; everything else may change."""

    issuer: str
    subject: str
    email: str
    """The address that the provider names; "" when it names none."""
    email_verified: bool
    """Whether the provider says that the address is theirs."""
    name: str
    """What they are called there; "" when it does not say."""
    email_problem: str = ""
    """Why the address cannot be used, as the code of the error that says so; "" when it can."""


def external_identity(
    issuer: str, subject: str, *, email: str, email_verified: bool, name: str, email_problem: str = ""
) -> ExternalIdentity:
    """Make an account out of a provider's words: an address or a name that RxChat would not take is left out.

    Raises:
        InvalidProviderResponse: when there is no subject that could be kept.
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
    """Whether nobody can listen or answer in between: https, or plain http that never leaves this machine."""
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
