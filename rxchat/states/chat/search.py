"""The search over conversations, messages and documents."""

from __future__ import annotations

from dataclasses import dataclass, field

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.conversation_search import QUERY_CHARACTERS, Found, FoundKind, parsed, snippet_parts
from rxchat.services.app import container
from rxchat.states.platform.auth_guard import requires_user
from rxchat.states.platform.field_views import milliseconds


@dataclass
class Part:
    """A part of a text: what was found, or what stands around it."""

    text: str
    is_hit: bool


@dataclass
class FoundView:
    """A result as the page shows it."""

    id: str
    kind: str
    title: str
    href: str
    at: int
    """Milliseconds since 1970."""
    parts: list[Part] = field(default_factory=list)


class SearchState(rx.State):
    """What was found for the words that were typed last."""

    found: list[FoundView] = []
    searched: str = ""
    """The words that `found` belongs to."""
    unknown: str = ""
    """Filters in them that say nothing known."""

    @rx.event
    @requires_user
    async def find(self, current_user: CurrentUser, words: str) -> None:
        """Search, a moment after the last key."""
        words = words[:QUERY_CHARACTERS]
        found = await container.get_services().chat.search.search(current_user, words)
        self.found = [_view(item) for item in found]
        self.searched = words
        self.unknown = ", ".join(parsed(words).unknown)


def _view(item: Found) -> FoundView:
    match item.kind:
        case FoundKind.MESSAGE:
            href = f"/c/{item.conversation_id}?m={item.id}"
        case FoundKind.DOCUMENT:
            href = f"/documents/view/{item.id}"
        case FoundKind.CONVERSATION:
            href = f"/c/{item.id}"
    parts = [Part(text, is_hit) for text, is_hit in snippet_parts(item.snippet)]
    return FoundView(str(item.id), item.kind.value, item.title, href, milliseconds(item.at), parts)
