"""The draft of the conversation on screen, which the user's other devices have typed or will show."""

from __future__ import annotations

from functools import partial
from typing import Any

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.errors import InvalidInput, RxChatError
from rxchat.domain.ids import require_id
from rxchat.services.app import container
from rxchat.services.chat.drafts import Drafts
from rxchat.states.platform.auth_guard import requires_user


def _stay_silent(_state: DraftsState, error: RxChatError, _given: dict[str, Any]) -> bool:
    """Show nothing of what the composer cannot help: the draft stays in the browser, and is saved with the next change."""
    return not isinstance(error, InvalidInput)


class DraftsState(rx.State):
    """Answers to the composer (client/draft-sync.js)."""

    loaded: dict[str, Any] = {"conversation": "", "text": "", "number": 0}
    """The draft that the server has of a conversation; `number` counts the answers."""
    saved: dict[str, Any] = {"name": "", "is_saved": True, "other": ""}
    """The composer's name for what it saved last, and whether it is stored; if not, the draft that is stored instead."""

    @rx.event
    @partial(requires_user, refuse=_stay_silent)
    async def load(self, current_user: CurrentUser, conversation_id: str) -> None:
        """Send the draft of a conversation."""
        text = await _drafts().get(current_user, require_id(conversation_id))
        number = self.loaded["number"] + 1
        self.loaded = {"conversation": conversation_id, "text": text, "number": number}

    @rx.event
    @partial(requires_user, refuse=_stay_silent)
    async def save(self, current_user: CurrentUser, conversation_id: str, text: str, name: str, base: str) -> None:
        """Store the draft of a conversation in place of `base`, and answer by this name."""
        other = await _drafts().save(current_user, require_id(conversation_id), text, base=base)
        self.saved = {"name": name[:64], "is_saved": other is None, "other": other or ""}


def _drafts() -> Drafts:
    return container.get_services().chat.organizing.drafts
