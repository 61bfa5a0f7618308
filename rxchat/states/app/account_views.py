"""The values of the account pages, with times in milliseconds since 1970."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.devices import device_name, is_handheld
from rxchat.domain.permissions import SCOPE_WORDS, Scope
from rxchat.domain.sign_in_providers import ProviderInfo
from rxchat.services.accounts.api_credentials import KeySummary
from rxchat.services.accounts.external_login import IdentitySummary
from rxchat.services.accounts.sessions import SessionSummary
from rxchat.services.app import profile
from rxchat.states.platform.field_views import milliseconds

_SCOPES = {scope.value for scope in Scope}


@dataclass
class Profile:
    """The user's profile."""

    name: str = ""
    email: str = ""
    role: str = ""
    since: int = 0
    has_password: bool = True
    deletion_at: int = 0
    """When the account will be deleted; 0 if it will not."""
    is_deleted_by_others: bool = False
    """Whether an administrator scheduled it."""


@dataclass
class ConversationAccessView:
    """An administrator's access to the user's conversations."""

    at: int
    reader: str
    reason: str
    title: str
    """The conversation's title; "" if they were only listed."""
    is_new: bool


@dataclass
class ProviderView:
    """A sign-in provider with the connected account; its id is "" if none is connected."""

    key: str
    label: str
    id: str = ""
    email: str = ""
    since: int = 0
    is_offered: bool = True
    """Whether the provider is configured."""


@dataclass
class PasskeyView:
    """A passkey with its name."""

    id: str
    name: str


@dataclass
class SessionView:
    """A session of the user."""

    id: str
    kind: str
    method: str
    device: str
    is_handheld: bool
    address: str
    began_at: int
    seen_at: int
    is_this: bool


@dataclass
class ScopeChoice:
    """A scope for API keys."""

    name: str
    words: str


@dataclass
class KeyView:
    """An API key, without its secret."""

    id: str
    name: str
    prefix: str
    scopes: list[str]
    permissions: str
    """The scopes in words."""
    made_at: int
    expires_at: int
    """0: never."""
    used_at: int
    """0: not yet."""


def profile_of(found: profile.Profile) -> Profile:
    """Return the user's account as the page shows it."""
    return Profile(
        found.name, found.email, found.role, milliseconds(found.created_at), found.has_password, milliseconds(found.deletion_at),
        found.is_deleted_by_others,
    )  # fmt: skip


def reading_row(found: profile.Reading) -> ConversationAccessView:
    """Return an access by an administrator as the page shows it."""
    title = found.title or ("a conversation" if found.conversation_id else "")
    return ConversationAccessView(milliseconds(found.at), found.reader, found.reason, title, found.is_new)


def provider_rows(offered: Sequence[ProviderInfo], connected: Sequence[IdentitySummary]) -> list[ProviderView]:
    """Return the connected external accounts, and the providers without one."""
    labels = {info.key: info.label for info in offered}
    rows = [
        ProviderView(
            item.provider,
            labels.get(item.provider, item.provider),
            str(item.id),
            item.email,
            milliseconds(item.created_at),
            is_offered=item.provider in labels,
        )
        for item in connected
    ]
    taken = {item.provider for item in connected}
    return rows + [ProviderView(info.key, info.label) for info in offered if info.key not in taken]


def session_rows(found: Sequence[SessionSummary]) -> list[SessionView]:
    """Return the sessions as the page lists them: this one, then those seen last."""
    rows = [session_row(item) for item in found]
    return sorted(rows, key=lambda row: (not row.is_this, -row.seen_at))


def session_row(found: SessionSummary) -> SessionView:
    """Return a session as the page shows it."""
    return SessionView(
        str(found.id),
        found.kind,
        found.method,
        device_name(found.user_agent),
        is_handheld(found.user_agent),
        found.address,
        milliseconds(found.created_at),
        milliseconds(found.last_seen_at),
        found.is_this,
    )


def key_row(found: KeySummary) -> KeyView:
    """Return an API key as the page shows it."""
    return KeyView(
        str(found.id),
        found.name,
        found.prefix,
        list(found.scopes),
        " · ".join(SCOPE_WORDS[Scope(scope)] if scope in _SCOPES else scope for scope in found.scopes),
        milliseconds(found.created_at),
        milliseconds(found.expires_at),
        milliseconds(found.last_used_at),
    )


def scope_choices(current_user: CurrentUser) -> list[ScopeChoice]:
    """Return the scopes for the user's keys; administration only if the user may administer."""
    return [
        ScopeChoice(scope.value, words)
        for scope, words in SCOPE_WORDS.items()
        if scope is not Scope.ADMIN or current_user.is_admin
    ]
