"""A user's preferences that apply in all of their browsers, and how a model hears of them."""

from __future__ import annotations

from dataclasses import dataclass

from rxchat.domain.chat import ChatMessage, Role
from rxchat.domain.errors import InvalidInput
from rxchat.domain.text import limited_text

INSTRUCTIONS_CHARACTERS = 4_000
"""The maximum length of custom instructions, which are a part of each prompt: about 1,000 tokens of 4,096, Ollama's default."""
MODEL_CHARACTERS = 200
"""The maximum length of the full name of a model."""
MOST_FAVORITES = 50
_LEAD = "The person whom you are talking to has asked that all of your answers follow these instructions:"


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a user prefers."""

    custom_instructions: str = ""
    """What every model is asked to keep in mind when it answers this user."""
    default_model: str = ""
    """The model that answers in new conversations; "" for the instance's default."""
    favorite_models: tuple[str, ...] = ()
    """The models that come first in the user's list."""


def valid_instructions(text: str) -> str:
    """Return custom instructions without surrounding space.

    Raises:
        InvalidInput: when they are too long.
    """
    return limited_text(text, INSTRUCTIONS_CHARACTERS, "custom_instructions")


def valid_model_name(name: str) -> str:
    """Return the name of a model as it is; whether there is one of this name is known when it is used.

    Raises:
        InvalidInput: when no model has such a name.
    """
    if len(name) > MODEL_CHARACTERS or not name.isprintable():
        raise InvalidInput("This is not the name of a model.", field="default_model")
    return name


def instructions_message(custom_instructions: str) -> list[ChatMessage]:
    """Return the message that gives custom instructions to a model; none if there are none."""
    if not custom_instructions:
        return []
    return [ChatMessage(Role.SYSTEM, f"{_LEAD}\n\n{custom_instructions}")]
