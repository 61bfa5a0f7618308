"""Making a conversation fit a model's context: the oldest messages go first, and no prompt is ever refused."""

from __future__ import annotations

from typing import Any

from rxchat.embedded.llama import Llama

Json = dict[str, Any]

# What the template writes around one message, and before the first one.
_MESSAGE_MARKS = 8
_TEMPLATE_MARKS = 32
_LEAST_ROOM = 64


async def fitted(llama: Llama, messages: list[Json], context_tokens: int | None, answer_tokens: int) -> str:
    """The prompt of as many of the newest messages as leave room for an answer; system messages stay."""
    context = min(context_tokens or llama.slot_tokens, llama.slot_tokens)
    room = max(_LEAST_ROOM, context - _answer_room(context, answer_tokens))
    whole = await llama.prompt(messages)
    # A token is one byte at least, so short prompts need no counting.
    if len(whole.encode()) <= room or await llama.count(whole) <= room:
        return whole
    return await llama.prompt(await _newest(llama, messages, _shortened(context)))


async def fitted_text(llama: Llama, text: str, context_tokens: int | None, answer_tokens: int) -> str:
    """The end of a raw prompt, as much of it as leaves room for an answer."""
    context = min(context_tokens or llama.slot_tokens, llama.slot_tokens)
    room = max(_LEAST_ROOM, context - _answer_room(context, answer_tokens))
    if len(text.encode()) <= room or await llama.count(text) <= room:
        return text
    return await _end_of(llama, text, _shortened(context))


def _shortened(context: int) -> int:
    """How much of a prompt that is too long is kept: about half the context, as Ollama does; it is also read sooner."""
    return max(_LEAST_ROOM, context // 2) - _TEMPLATE_MARKS


def _answer_room(context: int, answer_tokens: int) -> int:
    """How much of the context is kept for the answer: what was asked for, but half of it at most."""
    return min(answer_tokens, context // 2) if answer_tokens > 0 else context // 4


async def _newest(llama: Llama, messages: list[Json], room: int) -> list[Json]:
    """The system messages and the newest others within the room; the end of the last one in any case."""
    last = len(messages) - 1
    kept: dict[int, Json] = {}
    # The system's words may take a quarter of the room, what is said last may take the rest.
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
    """How many tokens a message takes in the prompt."""
    return len(await llama.tokens(message["content"])) + _MESSAGE_MARKS


async def _end_of(llama: Llama, text: str, tokens: int) -> str:
    """The last tokens of a text."""
    tokens = max(1, tokens)
    if len(text.encode()) <= tokens:
        return text
    numbers = await llama.tokens(text)
    if len(numbers) <= tokens:
        return text
    return (await llama.text(numbers[-tokens:])).lstrip("\ufffd")
