"""Providers of models that administrators add while RxChat runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from rxchat.domain.errors import InvalidInput
from rxchat.domain.provider_addresses import checked_urls, urls_of
from rxchat.domain.service_urls import SRV_PREFIX

LONGEST_KEY = 1_000
LONGEST_HEADERS = 4_000
_MOST_HEADERS = 20
_SHORTEST_TIMEOUT, _LONGEST_TIMEOUT = 5, 3_600
DEFAULT_TIMEOUT = 120
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,29}")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_OWN_HEADERS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "content-type",
        "host",
        "keep-alive",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that the clients set themselves; another value would break the connection."""


class ProviderKind(StrEnum):
    """The API that a provider has."""

    OLLAMA = "ollama"
    OPENAI = "openai"
    ANTHROPIC = "anthropic"


KIND_WORDS = {
    ProviderKind.OLLAMA: "Ollama",
    ProviderKind.OPENAI: "OpenAI-compatible",
    ProviderKind.ANTHROPIC: "Anthropic",
}


@dataclass(frozen=True, slots=True)
class ProviderConnection:
    """How to reach a provider. Neither its text nor its `repr` contains the secrets."""

    kind: ProviderKind
    url: str
    """Its address; for Ollama, the addresses of several hosts with the same models, separated by commas."""
    timeout_seconds: int = DEFAULT_TIMEOUT
    """How long an answer may take to begin."""
    key: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class ModelProvider:
    """A provider as administrators see it, without secrets."""

    name: str
    kind: ProviderKind
    url: str
    timeout_seconds: int
    is_enabled: bool
    has_key: bool
    header_names: tuple[str, ...]
    created_at: datetime | None
    updated_at: datetime | None
    is_from_settings: bool = False


@dataclass(frozen=True, slots=True)
class ProviderDraft:
    """What an administrator enters. A key or headers of None stay as they are."""

    name: str
    kind: str
    url: str
    timeout_seconds: int = DEFAULT_TIMEOUT
    key: str | None = field(default=None, repr=False)
    headers: str | None = field(default=None, repr=False)
    """One on each line, as `Name: value`."""


def checked_name(text: str) -> str:
    """Return the name of a provider, with which the names of its models begin.

    Raises:
        InvalidInput: when it is none.
    """
    name = text.strip()
    if not _NAME.fullmatch(name):
        raise InvalidInput("Use small letters, digits and hyphens, at most 30: for example “gpu-1”.", field="name")
    return name


def checked_connection(draft: ProviderDraft, key: str, headers: Mapping[str, str]) -> ProviderConnection:
    """Return how to reach the provider that was entered, with its present key and headers where it keeps them.

    Raises:
        InvalidInput: for the field that is wrong.
    """
    if draft.kind not in set(ProviderKind):
        raise InvalidInput(f"Choose one of: {', '.join(KIND_WORDS.values())}.", field="kind")
    if not _SHORTEST_TIMEOUT <= draft.timeout_seconds <= _LONGEST_TIMEOUT:
        raise InvalidInput(f"Enter {_SHORTEST_TIMEOUT} to {_LONGEST_TIMEOUT:,} seconds.", field="timeout_seconds")
    return ProviderConnection(
        kind=ProviderKind(draft.kind),
        url=_checked_url(draft),
        timeout_seconds=draft.timeout_seconds,
        key=key if draft.key is None else checked_key(draft.key),
        headers=headers if draft.headers is None else checked_headers(draft.headers),
    )


def _checked_url(draft: ProviderDraft) -> str:
    url = checked_urls(draft.url)
    if draft.kind != ProviderKind.OLLAMA and (len(urls_of(url)) > 1 or url.startswith(SRV_PREFIX)):
        raise InvalidInput(
            "Only Ollama can have several hosts. Enter one address, or add a provider for each.", field="url"
        )
    return url


def checked_key(text: str) -> str:
    """Return a provider's key.

    Raises:
        InvalidInput: when it cannot be sent in a header.
    """
    key = text.strip()
    if len(key) > LONGEST_KEY or not key.isascii() or any(sign.isspace() or not sign.isprintable() for sign in key):
        raise InvalidInput("This is no key: it contains spaces or other characters that keys do not have.", field="key")
    return key


def checked_headers(text: str) -> dict[str, str]:
    """Return headers that were entered one on each line.

    Raises:
        InvalidInput: for a line that is none, or a header that the clients set themselves; it quotes no value.
    """
    if len(text) > LONGEST_HEADERS:
        raise InvalidInput(f"The headers may have at most {LONGEST_HEADERS:,} characters.", field="headers")
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        name, colon, value = (part.strip() for part in line.partition(":"))
        if not colon or not value or not _HEADER_NAME.fullmatch(name) or not (value.isascii() and value.isprintable()):
            raise InvalidInput(
                f"Line {number} is no header. Write one on each line, as “Name: value”.", field="headers"
            )
        if name.lower() in _OWN_HEADERS:
            raise InvalidInput(f"RxChat sets the header {name} itself.", field="headers")
        found[name] = value
    if len(found) > _MOST_HEADERS:
        raise InvalidInput(f"At most {_MOST_HEADERS} headers can be sent.", field="headers")
    return found
