"""An answer of Anthropic's Messages API while it arrives in events."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rxchat.adapters import provider_errors
from rxchat.adapters.limited_responses import EVENT_MEGABYTES
from rxchat.adapters.model_numbers import count, parsed_arguments
from rxchat.domain.chat import AnswerFinished, ChatEvent, ReasoningDelta, TextDelta, ToolCall, ToolCalled

_MOST_CALLS = 8
_LIMITS = frozenset({"max_tokens", "model_context_window_exceeded"})


@dataclass
class AnthropicAnswer:
    """What has arrived of an answer; tool calls come in pieces."""

    began: float = field(default_factory=time.monotonic)
    begun: list[bool] = field(default_factory=list)
    """Not empty after the first token."""
    _reason: str = ""
    _has_ended: bool = False
    _first_at: float = 0.0
    _prompt_tokens: int = 0
    _answer_tokens: int = 0
    _calls: dict[int, dict[str, str]] = field(default_factory=dict)

    def events(self, event: Mapping[str, Any]) -> Iterator[ChatEvent]:
        """Yield the events of the port for one of the API's; unknown ones are ignored, as the API asks its clients to.

        Raises:
            TypeError: if it is none of the API's.
        """
        match event.get("type"):
            case "message_start":
                self._count(_object(event, "message").get("usage"))
            case "content_block_start":
                self._begin_call(event.get("index"), _object(event, "content_block"))
            case "content_block_delta":
                yield from self._pieces(event.get("index"), _object(event, "delta"))
            case "message_delta":
                self._count(event.get("usage"))
                self._reason = str(_object(event, "delta").get("stop_reason") or self._reason)[:40]
            case "message_stop":
                self._has_ended = True
            case str():
                pass
            case _:
                raise TypeError("an event without a type")

    def _count(self, usage: Any) -> None:
        given = usage if isinstance(usage, dict) else {}
        # Those of a cache are not in the number of the others.
        read = [given.get(name) for name in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")]
        self._prompt_tokens = count(sum(map(count, read))) or self._prompt_tokens
        self._answer_tokens = count(given.get("output_tokens")) or self._answer_tokens

    def _begin_call(self, number: Any, block: Mapping[str, Any]) -> None:
        is_number = isinstance(number, int) and not isinstance(number, bool)
        if block.get("type") != "tool_use" or not is_number or len(self._calls) >= _MOST_CALLS:
            return
        self._calls[number] = {
            "id": str(block.get("id") or "")[:100], "name": str(block.get("name") or "")[:100], "arguments": "",
        }  # fmt: skip

    def _pieces(self, number: Any, delta: Mapping[str, Any]) -> Iterator[ChatEvent]:
        kinds = {"text_delta": ("text", TextDelta), "thinking_delta": ("thinking", ReasoningDelta)}
        kind = str(delta.get("type"))
        if kind in kinds:
            name, made = kinds[kind]
            text = delta.get(name)
            if not isinstance(text, str):
                raise TypeError("a piece that is no text")
            self._first_at = self._first_at or time.monotonic()
            if text:
                yield made(text)
        elif kind == "input_json_delta" and isinstance(number, int) and number in self._calls:
            call = self._calls[number]
            call["arguments"] += str(delta.get("partial_json") or "")
            if len(call["arguments"]) > EVENT_MEGABYTES * 1_000_000:
                raise TypeError("arguments of a tool that do not end")

    def end(self, host: str) -> Iterator[ChatEvent]:
        """Yield the tool calls and the end.

        Raises:
            InvalidModelResponse: if the answer has no end, or was cut by the provider's filter.
        """
        if not self._has_ended or not self._reason:
            raise provider_errors.stopped(host, "message_stop")
        if self._reason == "refusal":
            raise provider_errors.filtered(host, "refusal")
        for call in self._calls.values():
            if call["name"] and self._reason == "tool_use":
                yield ToolCalled(ToolCall(call["name"], parsed_arguments(call["arguments"]), call["id"]))
        now = time.monotonic()
        yield AnswerFinished(
            reason="length" if self._reason in _LIMITS else "stop",
            prompt_tokens=self._prompt_tokens,
            answer_tokens=self._answer_tokens,
            prompt_seconds=(self._first_at or now) - self.began,
            answer_seconds=now - (self._first_at or now),
        )


def _object(event: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = event.get(name)
    if not isinstance(found, dict):
        raise TypeError(f"an event without its {name}")
    return found
