"""Requests in the form of Anthropic's Messages API: messages, tools and options.

Source: https://platform.claude.com/docs/en/api/messages.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import puremagic

from rxchat.domain.chat import ChatMessage, ChatOptions, Role, ToolSpec
from rxchat.domain.continuation import continuation_prompt
from rxchat.domain.errors import ModelRefused

_DEFAULT_TOKENS, _MOST_DEFAULT_TOKENS = 8_192, 32_000
"""The longest answer where none is set, which the API wants: for models that do not say theirs, and for others at most."""
_BUDGETS = {"low": 2_048, "medium": 8_192, "high": 16_384}
"""Tokens of reasoning, for models to which they are given as a number."""
_MEDIA_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


@dataclass(frozen=True, slots=True)
class Abilities:
    """What the API says of a model; a server that says nothing leaves it as it is here."""

    context_tokens: int = 0
    most_tokens: int = 0
    sees: bool = True
    has_schemas: bool = False
    efforts: frozenset[str] = frozenset()
    """The efforts that it takes by name."""
    thinking: frozenset[str] = frozenset()
    """The kinds of thinking that it takes: enabled, adaptive, disabled."""

    @property
    def can_reason(self) -> bool:
        """Whether the effort of its reasoning can be set."""
        return bool(self.efforts or self.thinking & {"enabled", "adaptive"})


def arguments_of(
    messages: Sequence[ChatMessage], tools: Sequence[ToolSpec], options: ChatOptions, can: Abilities
) -> dict[str, Any]:
    """Return the arguments of a request, but for its model.

    Models refuse to continue an answer that is given to them: they are asked for its rest in words.

    Raises:
        ModelRefused: when the options contradict each other.
    """
    if messages and messages[-1].role is Role.ASSISTANT:
        messages = continuation_prompt(messages[:-1], messages[-1].content)
    system = "\n\n".join(message.content for message in messages if message.role is Role.SYSTEM and message.content)
    asked: dict[str, Any] = {"messages": message_bodies(messages)}
    if system:
        asked["system"] = system
    if tools:
        asked["tools"] = [
            {"name": tool.name, "description": tool.description, "input_schema": tool.parameters} for tool in tools
        ]
    is_after_tool = bool(messages) and messages[-1].role is Role.TOOL
    return asked | _option_arguments(options, can, is_after_tool=is_after_tool)


def message_bodies(messages: Sequence[ChatMessage]) -> list[dict[str, Any]]:
    """Return the messages of user and assistant; results of tools are parts of the user's, and name their calls."""
    bodies: list[dict[str, Any]] = []
    unanswered: list[tuple[str, str]] = []
    for number, message in enumerate(messages):
        if message.role is Role.SYSTEM:
            continue
        parts = _parts(message)
        if message.tool_calls:
            named = [(call.id or f"call_{number}_{at}", call) for at, call in enumerate(message.tool_calls)]
            unanswered = [(call.name, identifier) for identifier, call in named]
            parts += [
                {"type": "tool_use", "id": identifier, "name": call.name, "input": call.arguments}
                for identifier, call in named
            ]
        if message.role is Role.TOOL:
            at = next((at for at, (name, _) in enumerate(unanswered) if name == message.tool_name), 0)
            identifier = unanswered.pop(at)[1] if unanswered else f"call_{number}"
            parts = [{"type": "tool_result", "tool_use_id": identifier, "content": message.content}]
        role = "assistant" if message.role is Role.ASSISTANT else "user"
        if bodies and bodies[-1]["role"] == role:
            # All results of an answer's calls have to be in one message.
            bodies[-1]["content"] += parts
        elif parts:
            bodies.append({"role": role, "content": parts})
    return bodies


def _parts(message: ChatMessage) -> list[dict[str, Any]]:
    pictures = [{"type": "image", "source": _source(image)} for image in message.images]
    # Texts of nothing but space are refused.
    return [*pictures, *([{"type": "text", "text": message.content}] if message.content.strip() else [])]


def _source(image: bytes) -> dict[str, str]:
    try:
        media_type = puremagic.from_string(image, mime=True)
    except puremagic.PureError:
        media_type = "image/png"
    if media_type not in _MEDIA_TYPES:
        raise ModelRefused("This model takes pictures as PNG, JPEG, GIF or WebP. Convert this one, and send it again.")
    return {"type": "base64", "media_type": media_type, "data": base64.b64encode(image).decode()}


def _option_arguments(options: ChatOptions, can: Abilities, *, is_after_tool: bool) -> dict[str, Any]:
    given: dict[str, Any] = {}
    if options.stop:
        given["stop_sequences"] = list(options.stop)
    given["max_tokens"] = options.max_tokens or min(can.most_tokens or _DEFAULT_TOKENS, _MOST_DEFAULT_TOKENS)
    output: dict[str, Any] = {}
    if options.schema is not None:
        if not options.schema:
            raise ModelRefused("This model answers in JSON only by a schema. Send one, or choose another model.")
        output["format"] = {"type": "json_schema", "schema": options.schema}
    # The API wants the thoughts before a tool's call to be sent back, which are not kept: what follows is without.
    thinking = {} if is_after_tool else _thinking(options, can, given)
    if options.reasoning_effort in can.efforts and not is_after_tool:
        output["effort"] = options.reasoning_effort
    return given | thinking | ({"output_config": output} if output else {})


def _thinking(options: ChatOptions, can: Abilities, given: Mapping[str, Any]) -> dict[str, Any]:
    effort = options.reasoning_effort
    if not effort or effort == "none":
        return {"thinking": {"type": "disabled"}} if effort and "disabled" in can.thinking else {}
    if "adaptive" in can.thinking:
        return {"thinking": {"type": "adaptive", "display": "summarized"}}
    if "enabled" in can.thinking:
        budget = min(_BUDGETS[effort], given["max_tokens"] // 2)
        # Less than 1,024 is refused.
        return {"thinking": {"type": "enabled", "budget_tokens": budget}} if budget >= 1_024 else {}
    return {}
