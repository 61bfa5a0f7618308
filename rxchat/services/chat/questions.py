"""What may be asked: the text, the ID and the model of a question."""

from __future__ import annotations

from uuid import UUID

from rxchat.domain.errors import InvalidInput
from rxchat.domain.text import MESSAGE_CHARACTERS, sanitize


def require_question_id(question_id: UUID | None, conversation_id: UUID | None) -> None:
    """Refuse the ID of the conversation itself, which is the parent of its first message."""
    if question_id is not None and question_id == conversation_id:
        raise InvalidInput("This message has no valid id. Reload the page.")


def require_some_model(model: str) -> None:
    """Refuse a question when no model is there to answer it."""
    if not model:
        raise InvalidInput("No model is available. Connect Ollama, or wait until the model host responds.")


def valid_question(text: str, *, may_be_blank: bool = False, longest: int = MESSAGE_CHARACTERS) -> str:
    """Return the text of a message as it is stored.

    Raises:
        InvalidInput: when it is blank and may not be, or too long.
    """
    text = sanitize(text).strip()
    if not text and not may_be_blank:
        raise InvalidInput("Enter a message.", field="text")
    if len(text) > longest:
        raise InvalidInput(
            f"This message has {len(text):,} characters; the maximum is {longest:,}. Shorten it or send it in parts.",
            field="text",
        )
    return text
