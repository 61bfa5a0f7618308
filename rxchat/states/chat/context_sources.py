"""The context sources of the conversation, and the search for further ones."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.conversations import SourceRef
from rxchat.domain.errors import Conflict, InvalidInput
from rxchat.domain.ids import parse_id, require_id
from rxchat.services.app import container
from rxchat.services.chat.context_sources import MOST_ATTACHED, Attached
from rxchat.services.documents.collections import ContextChoice
from rxchat.states.platform.auth_guard import requires_user
from rxchat.states.platform.field_views import field_view

_CHOICES = 12
_WORDS = 100
_source_view = field_view(SourceRef)
_choice_view = field_view(ContextChoice, renamed={"within": "in"})


class ContextSourcesState(rx.State):
    """The line of context sources above the composer, and the list that `#` opens."""

    attached: list[dict[str, str]] = []
    """The context sources: id, kind, name."""
    of: str = ""
    """The id of the conversation."""
    choices: list[dict[str, str]] = []
    searched: str = ""

    def _show(self, conversation_id: str, known: list[SourceRef]) -> None:
        """Show the context sources; unchanged values are not sent again."""
        lines = [_source_view(item) for item in known]
        if (self.of, self.attached) != (conversation_id, lines):
            self.of, self.attached = conversation_id, lines

    @rx.event
    @requires_user
    async def find(self, current_user: CurrentUser, words: str) -> None:
        """Show collections and documents whose names contain the words, for `#` in the composer."""
        words = words[:_WORDS]
        found = await container.get_services().documents.collections.search(current_user, words, _CHOICES)
        self.choices = [_choice_view(item) for item in found]
        self.searched = words

    @rx.event
    @requires_user
    async def attach(self, current_user: CurrentUser, found: str) -> None:
        """Attach a collection or document to the conversation."""
        conversation_id = require_id(self.of)
        await container.get_services().chat.context_sources.attach(current_user, conversation_id, require_id(found))
        self._show(self.of, await container.get_services().chat.context_sources.of(current_user, conversation_id))

    @rx.event
    @requires_user
    async def detach(self, current_user: CurrentUser, found: str) -> None:
        """Remove a context source; a second click on the button finds it removed."""
        conversation_id = require_id(self.of)
        with suppress(Conflict):
            await container.get_services().chat.context_sources.detach(current_user, conversation_id, require_id(found))
        self._show(self.of, await container.get_services().chat.context_sources.of(current_user, conversation_id))


def attached_of(given: dict[str, Any]) -> Attached:
    """Return the attachments that the page sent: {ids: [...], draft: "..."}.

    Raises:
        InvalidInput: when they are invalid.
    """
    ids, draft = given.get("ids") or [], given.get("draft") or ""
    if not isinstance(ids, list) or not isinstance(draft, str) or len(ids) > MOST_ATTACHED:
        raise InvalidInput("The attachments are invalid. Reload the page.")
    found = [parse_id(item) if isinstance(item, str) else None for item in ids]
    if None in found or (draft and parse_id(draft) is None):
        raise InvalidInput("The attachments are invalid. Reload the page.")
    return Attached(tuple(item for item in found if item is not None), parse_id(draft))
