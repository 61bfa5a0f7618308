"""Requests in the form of OpenAI's API: messages, tools and options."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

import puremagic

from rxchat.domain.chat import ChatMessage, ChatOptions, Role, ToolCall, ToolSpec


def message_bodies(messages: Sequence[ChatMessage]) -> list[dict[str, Any]]:
    """Return messages in the API's form, in which a tool's result names the call that it answers."""
    bodies: list[dict[str, Any]] = []
    unanswered: list[tuple[str, str]] = []
    for number, message in enumerate(messages):
        body: dict[str, Any] = {"role": message.role.value, "content": _content(message)}
        if message.tool_calls:
            named = [(call.id or f"call_{number}_{at}", call) for at, call in enumerate(message.tool_calls)]
            unanswered = [(call.name, identifier) for identifier, call in named]
            body["tool_calls"] = [_call_body(identifier, call) for identifier, call in named]
        if message.role is Role.TOOL:
            at = next((at for at, (name, _) in enumerate(unanswered) if name == message.tool_name), 0)
            body["tool_call_id"] = unanswered.pop(at)[1] if unanswered else f"call_{number}"
        bodies.append(body)
    return bodies


def _call_body(identifier: str, call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": json.dumps(call.arguments)}
    return {"id": identifier, "type": "function", "function": function}


def _content(message: ChatMessage) -> str | list[dict[str, Any]]:
    if not message.images:
        return message.content
    pictures = [{"type": "image_url", "image_url": {"url": _data_url(image)}} for image in message.images]
    return [{"type": "text", "text": message.content}, *pictures]


def _data_url(image: bytes) -> str:
    try:
        media_type = puremagic.from_string(image, mime=True)
    except puremagic.PureError:
        media_type = "image/png"
    return f"data:{media_type};base64,{base64.b64encode(image).decode()}"


def option_arguments(options: ChatOptions) -> dict[str, Any]:
    """Return options as arguments of the client."""
    wanted = ("temperature", "top_p", "presence_penalty", "frequency_penalty", "seed", "max_tokens", "reasoning_effort")
    given = {name: getattr(options, name) for name in wanted if getattr(options, name) is not None}
    if options.stop:
        given["stop"] = list(options.stop)
    if options.top_k is not None:
        given["extra_body"] = {"top_k": options.top_k}
    if options.schema is not None:
        named = {"name": "answer", "schema": options.schema}
        given["response_format"] = (
            {"type": "json_schema", "json_schema": named} if options.schema else {"type": "json_object"}
        )
    return given


def tool_body(tool: ToolSpec) -> dict[str, Any]:
    """Return a tool in the API's form."""
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}
