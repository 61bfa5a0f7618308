"""What a model saw for an answer: recorded while it is written, and kept with its run."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from rxchat.domain.chat import AnswerFinished, ChatMessage, PreparedPrompt, Role, ToolSpec
from rxchat.domain.ids import parse_id
from rxchat.domain.retrieval import Source

KEPT_IN_CONVERSATION = 200
"""The records of how many runs of a conversation are kept, the newest ones."""
_MOST_CHARACTERS = 600_000
"""How much text a record has; what is longer is cut, and says so."""
_MOST_LEFT_OUT_CHARACTERS = 100_000
_MOST_BYTES = 20_000_000
_HIDDEN = "(Hidden: it contains passages of a document that was deleted, or is no longer shared with you.)"


@dataclass(slots=True)
class PromptRecorder:
    """Records the requests of one run. A request with results of tools contains the messages of the one before."""

    began: float = field(default_factory=time.monotonic)
    prompt: PreparedPrompt | None = None
    left_out: list[ChatMessage] = field(default_factory=list)
    tools: list[str] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    first_token_seconds: float | None = None

    def sent(self, prompt: PreparedPrompt, given: Sequence[ChatMessage], tools: Sequence[ToolSpec]) -> None:
        """Record a request: what is sent of the messages that were given."""
        kept = {id(message) for message in prompt.messages}
        self.prompt, self.left_out = prompt, [message for message in given if id(message) not in kept]
        self.tools = self.tools or [tool.name for tool in tools]

    def arrived(self) -> None:
        """Record that a part of the answer has arrived."""
        if self.first_token_seconds is None:
            self.first_token_seconds = round(time.monotonic() - self.began, 3)

    def finished(self, event: AnswerFinished) -> None:
        """Record the end of a request, with the counts and times of the host."""
        self.requests.append(
            {
                "reason": event.reason,
                "prompt_tokens": event.prompt_tokens,
                "answer_tokens": event.answer_tokens,
                "load_seconds": round(event.load_seconds, 3),
                "prompt_seconds": round(event.prompt_seconds, 3),
                "answer_seconds": round(event.answer_seconds, 3),
            }
        )

    def record(
        self,
        model: str,
        parameters: Mapping[str, Any],
        sources: Sequence[Source],
        own: Sequence[ChatMessage],
        cost: Decimal | None = None,
        currency: str = "",
    ) -> dict[str, Any] | None:
        """Return the record as JSON values; None if nothing was sent. `own` messages contain nothing of the sources."""
        if self.prompt is None:
            return None
        return {
            "model": model,
            "digest": self.prompt.digest,
            "context_tokens": self.prompt.context_tokens,
            "parameters": dict(parameters),
            "messages": _messages(self.prompt.messages, _MOST_CHARACTERS, own if sources else None),
            "left_out": _messages(self.left_out, _MOST_LEFT_OUT_CHARACTERS, own if sources else None),
            "tools": self.tools,
            "sources": [_source(item) for item in sources],
            "requests": self.requests,
            "first_token_seconds": self.first_token_seconds,
            "seconds": round(time.monotonic() - self.began, 3),
            "cost": None if cost is None else float(cost),
            "currency": currency,
        }


def _messages(messages: Sequence[ChatMessage], room: int, own: Sequence[ChatMessage] | None) -> list[dict[str, Any]]:
    """Return messages in order; the last ones keep their text, if there is too much."""
    without_sources = {id(message) for message in own or messages}
    found: list[dict[str, Any]] = []
    for message in reversed(messages):
        text = message.content[:room]
        room -= len(text)
        shown: dict[str, Any] = {"role": message.role.value, "content": text}
        if len(text) < len(message.content):
            shown["cut_characters"] = len(message.content) - len(text)
        if message.tool_calls:
            shown["tool_calls"] = [{"name": call.name, "arguments": call.arguments} for call in message.tool_calls]
        if id(message) not in without_sources and message.role is not Role.ASSISTANT:
            shown["has_sources"] = True
        if message.tool_name:
            shown["tool_name"] = message.tool_name
        if message.images:
            shown["images"] = len(message.images)
        found.append(shown)
    return found[::-1]


def _source(item: Source) -> dict[str, Any]:
    passage = item.passage
    return {
        "number": item.number,
        "document_id": str(passage.document_id),
        "name": passage.name,
        "heading": passage.heading,
        "page": passage.page,
    }


def as_readable(record: Mapping[str, Any], readable: Container[UUID | None]) -> dict[str, Any]:
    """Return a record without what documents say that the user may not read any more."""
    sources = [dict(item) for item in record["sources"]]
    hidden = [item for item in sources if parse_id(item["document_id"]) not in readable]
    if not hidden:
        return dict(record)
    for item in hidden:
        item.update(name="", heading="", page=0, is_hidden=True)
    said = {part: [_hidden(message) for message in record[part]] for part in ("messages", "left_out")}
    return {**record, **said, "sources": sources}


def _hidden(message: Mapping[str, Any]) -> dict[str, Any]:
    return {**message, "content": _HIDDEN} if message.get("has_sources") else dict(message)


def packed(record: Mapping[str, Any]) -> bytes:
    """Return a record as it is stored."""
    return zlib.compress(json.dumps(record, ensure_ascii=False, default=str).encode("utf-8", "replace"), 6)


def unpacked(content: bytes) -> dict[str, Any]:
    """Return a record that `packed` made.

    Raises:
        ValueError: when it is none.
    """
    unpacking = zlib.decompressobj()
    try:
        text = unpacking.decompress(content, _MOST_BYTES)
    except zlib.error as error:
        raise ValueError("a record that cannot be read") from error
    return json.loads(text)
