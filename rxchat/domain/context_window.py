"""Fits messages into a model's context: model hosts silently cut the beginning of a prompt that is too long."""

from __future__ import annotations

from collections.abc import Sequence

from rxchat.domain.chat import ChatMessage, Role
from rxchat.domain.chunking import estimated_tokens
from rxchat.domain.errors import ModelRefused

_MESSAGE_TOKENS = 6
"""The tokens that a chat template adds to each message."""
_IMAGE_TOKENS = 800


def fitted(model: str, messages: Sequence[ChatMessage], context_tokens: int) -> list[ChatMessage]:
    """Return the messages that fit, with space for an answer: instructions, last question, latest history.

    Raises:
        ModelRefused: when the instructions and the last question do not fit by themselves.
    """
    room = context_tokens - context_tokens // 4
    tail_begin = max((at for at, message in enumerate(messages) if message.role is Role.USER), default=0)
    tail = list(messages[tail_begin:])
    instructions = [message for message in messages[:tail_begin] if message.role is Role.SYSTEM]
    room -= sum(map(_tokens, [*instructions, *tail]))
    if room < 0:
        raise ModelRefused(
            f"This message is too long for {model}, whose context is about {context_tokens:,} tokens, including files and the answer. Shorten it, or choose a model with a larger context."
        )
    latest: list[ChatMessage] = []
    for message in reversed(messages[:tail_begin]):
        if message.role is Role.SYSTEM:
            continue
        room -= _tokens(message)
        if room < 0:
            break
        latest.append(message)
    # An answer without its question, or a tool's result without its call, would confuse the model.
    while latest and latest[-1].role is not Role.USER:
        latest.pop()
    return [*instructions, *reversed(latest), *tail]


def _tokens(message: ChatMessage) -> int:
    calls = sum(estimated_tokens(f"{call.name} {call.arguments}") for call in message.tool_calls)
    return estimated_tokens(message.content) + calls + _MESSAGE_TOKENS + _IMAGE_TOKENS * len(message.images)
