"""Fits conversations into a model's context: drops the oldest messages first, and never refuses a prompt."""

from __future__ import annotations

from typing import Any

from rxchat.embedded.llama import Llama

Json = dict[str, Any]

# Tokens that the chat template adds to each message, and before the first one.
_MESSAGE_MARKS = 8
_TEMPLATE_MARKS = 32
_LEAST_ROOM = 64


async def fitted(llama: Llama, messages: list[Json], context_tokens: int | None, answer_tokens: int) -> str:
    """Return a prompt of the system messages and the newest messages that leave space for an answer."""
    context = min(context_tokens or llama.slot_tokens, llama.slot_tokens)
    room = max(_LEAST_ROOM, context - _answer_room(context, answer_tokens))
    whole = await llama.prompt(messages)
    # A token has at least one byte, so short prompts need not be tokenized.
    if len(whole.encode()) <= room or await llama.count(whole) <= room:
        return whole
    return await llama.prompt(await _newest(llama, messages, _shortened(context)))


async def fitted_text(llama: Llama, text: str, context_tokens: int | None, answer_tokens: int) -> str:
    """Return the end of a raw prompt, cut to leave space for an answer."""
    context = min(context_tokens or llama.slot_tokens, llama.slot_tokens)
    room = max(_LEAST_ROOM, context - _answer_room(context, answer_tokens))
    if len(text.encode()) <= room or await llama.count(text) <= room:
        return text
    return await _end_of(llama, text, _shortened(context))


def _shortened(context: int) -> int:
    """Return the length to which a long prompt is cut: half the context, as in Ollama, which also is faster to read."""
    return max(_LEAST_ROOM, context // 2) - _TEMPLATE_MARKS


def _answer_room(context: int, answer_tokens: int) -> int:
    """Return the tokens reserved for the answer: the requested number, at most half the context."""
    return min(answer_tokens, context // 2) if answer_tokens > 0 else context // 4


async def _newest(llama: Llama, messages: list[Json], room: int) -> list[Json]:
    """Return the system messages and the newest others that fit; in any case the end of the last one."""
    last = len(messages) - 1
    kept: dict[int, Json] = {}
    # System messages may take a quarter of the space, and the last message the rest.
    for index, message in enumerate(messages):
        if message["role"] == "system" and index != last:
            kept[index] = {**message, "content": await _end_of(llama, message["content"], room // 4)}
            room -= await _size(llama, kept[index])
    for index in range(last, -1, -1):
        if index in kept:
            continue
        message = messages[index]
        if index == last:
            message = {**message, "content": await _end_of(llama, message["content"], room - _MESSAGE_MARKS)}
        size = await _size(llama, message)
        if size > room and index != last:
            break
        kept[index] = message
        room -= size
    return [kept[index] for index in sorted(kept)]


async def _size(llama: Llama, message: Json) -> int:
    """Return the number of a message's tokens in the prompt."""
    return len(await llama.tokens(message["content"])) + _MESSAGE_MARKS


async def _end_of(llama: Llama, text: str, tokens: int) -> str:
    """Return the last tokens of a text."""
    tokens = max(1, tokens)
    if len(text.encode()) <= tokens:
        return text
    numbers = await llama.tokens(text)
    if len(numbers) <= tokens:
        return text
    return (await llama.text(numbers[-tokens:])).lstrip("\ufffd")
