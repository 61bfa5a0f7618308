"""Which system a conversation is from, and what it says."""

from __future__ import annotations

import json
from typing import Any

from rxchat.domain.imports import chatgpt, claude, librechat, open_webui, own
from rxchat.domain.imports.conversation import ConversationRefused, ImportedConversation

_FORMATS = (own, chatgpt, claude, open_webui, librechat)
_WRONG_SHAPES = (TypeError, KeyError, AttributeError, ValueError, ArithmeticError, RecursionError)
"""What values of unexpected kinds lead to: no export has them, but a file may contain anything."""
UNKNOWN = "It is no conversation in a form that RxChat knows."


def read(item: bytes) -> ImportedConversation:
    """Return the conversation of one item of JSON.

    Raises:
        ConversationRefused: if it is none, or cannot be imported.
    """
    try:
        found: Any = json.loads(item)
    except (ValueError, RecursionError) as error:
        raise ConversationRefused("It is not valid JSON.") from error
    if not isinstance(found, dict):
        raise ConversationRefused(UNKNOWN)
    known = next((kind for kind in _FORMATS if kind.is_one(found)), None)
    if known is None:
        title = found.get("title") or found.get("name")
        raise ConversationRefused(UNKNOWN, title if isinstance(title, str) else "")
    try:
        return known.read(found)
    except _WRONG_SHAPES as error:
        raise ConversationRefused(UNKNOWN) from error
