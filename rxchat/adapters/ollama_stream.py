"""Reads Ollama's stream of an answer: one JSON object a line (application/x-ndjson).

The official client takes 100 microseconds of processor time for each line (httpx, and a validated object for each
token), where aiohttp's parser in C takes 45, and it does not limit the length of lines. Its exceptions are used here
all the same.
Source: https://docs.ollama.com/api/chat, and the observed behavior of version 0.32.15.
"""

from __future__ import annotations

import asyncio
import base64
import http
import io
import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import aiohttp
import ollama

from rxchat.domain.chat import (
    AnswerFinished,
    ChatEvent,
    ChatMessage,
    ChatOptions,
    ReasoningDelta,
    TextDelta,
    ToolCall,
    ToolCalled,
    ToolSpec,
)
from rxchat.domain.model_parameters import Effort

MEGABYTES = 4
_LINE_BYTES = MEGABYTES * 1_000_000
_LOOK_AGAIN_SECONDS = 5.0
_ERROR_BYTES = 64_000
_NANOSECONDS = 1e9
# Larger numbers are invalid, and would exceed the columns that store them.
_MOST_TOKENS = 1_000_000_000
_LONGEST_NANOSECONDS = 10**15
_MOST_CALLS = 8


class Silent(Exception):
    """The model sent nothing for `seconds`."""

    def __init__(self, seconds: float) -> None:
        """Raised after `seconds` without a part of the answer."""
        super().__init__(seconds)
        self.seconds = seconds


class LineTooLong(Exception):
    """A line exceeds the limit: the server is no Ollama, or broken."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Timeouts of an answer."""

    first_seconds: float
    """Until its first token, once it is loaded."""
    next_seconds: float
    """From one token to the next."""
    load_seconds: float
    """Until its first token, loading included."""
    is_loading: Callable[[], Awaitable[bool]]
    """Returns whether the model may still be loading; called when the first token is late."""
    heard_at: Callable[[], float] = lambda: float("-inf")
    """When the host last sent a part of any answer (time.monotonic): meanwhile, this one waits in the host's queue."""


async def chat_events(
    session: aiohttp.ClientSession, body: dict[str, Any], patience: Patience, *, follows_redirects: bool = True
) -> AsyncGenerator[ChatEvent]:
    """Send a question and yield the answer's events. Closing the generator disconnects, which stops the model.

    Without `follows_redirects`, a redirect is an error: the question and the headers would go to another server.

    Raises:
        aiohttp.ClientError: if the host does not respond, or the connection breaks.
        ollama.ResponseError: if the daemon answers with an error, as a status or as a line of the stream.
        Silent: if the model exceeds a timeout.
        LineTooLong: if a line exceeds the limit.
        ValueError: if a line is not JSON, or has an invalid number (OverflowError: infinity).
        TypeError: if a line is not a part of an answer.
    """
    began = time.monotonic()
    payload = _payload(body | {"stream": True})
    posting = session.post("api/chat", data=payload, allow_redirects=follows_redirects)
    response = await _patiently(patience, began, posting)
    try:
        if response.status >= http.HTTPStatus.MULTIPLE_CHOICES:
            said = await _within(patience.first_seconds, _beginning(response.content))
            raise ollama.ResponseError(said, response.status)
        lines, has_begun, is_over = _Lines(), False, False
        while not is_over:
            reading = response.content.readany()
            if has_begun:
                chunk = await _within(patience.next_seconds, reading)
            else:
                chunk = await _patiently(patience, began, reading)
            is_over = not chunk
            # The last line may have no line break.
            for line in lines.after(chunk or b"\n"):
                for event in _events(line):
                    has_begun = True
                    yield event
    finally:
        response.close()


def _payload(body: dict[str, Any]) -> aiohttp.BytesIOPayload:
    """Return a body that is sent in parts: images make it large, and the loop must serve others meanwhile."""
    return aiohttp.BytesIOPayload(io.BytesIO(json.dumps(body).encode()), content_type="application/json")


def message_body(message: ChatMessage) -> dict[str, Any]:
    """Return a message in Ollama's form, in which tool arguments are objects, not JSON texts."""
    body: dict[str, Any] = {"role": message.role.value, "content": message.content}
    if message.tool_calls:
        body["tool_calls"] = [
            {"function": {"name": call.name, "arguments": call.arguments}} for call in message.tool_calls
        ]
    if message.tool_name:
        body["tool_name"] = message.tool_name
    if message.images:
        body["images"] = [base64.b64encode(image).decode() for image in message.images]
    return body


def option_bodies(model: str, options: ChatOptions, context_tokens: int) -> dict[str, Any]:
    """Return `options`, and what else of a request says how the model is to answer."""
    wanted = {
        "num_ctx": context_tokens,
        "temperature": options.temperature,
        "top_p": options.top_p,
        "top_k": options.top_k,
        "presence_penalty": options.presence_penalty,
        "frequency_penalty": options.frequency_penalty,
        "seed": options.seed,
        "num_predict": options.max_tokens,
        "stop": list(options.stop) or None,
    }
    body: dict[str, Any] = {"options": {name: value for name, value in wanted.items() if value is not None}}
    if options.keep_alive is not None:
        body["keep_alive"] = options.keep_alive
    if options.reasoning_effort is not None:
        body["think"] = options.reasoning_effort if has_efforts(model) else options.reasoning_effort != Effort.NONE
    return body if options.schema is None else body | {"format": options.schema or "json"}


def has_efforts(model: str) -> bool:
    """Whether a model reasons more or less (`think` is a word), and not only with or without (`think` is true or false)."""
    return "gpt-oss" in model


def tool_body(tool: ToolSpec) -> dict[str, Any]:
    """Return a tool in Ollama's form."""
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


async def _beginning(content: aiohttp.StreamReader) -> str:
    """Return the beginning of an error response's body."""
    said = bytearray()
    while len(said) < _ERROR_BYTES and (chunk := await content.read(_ERROR_BYTES - len(said))):
        said += chunk
    return said.decode(errors="replace")


async def _within(seconds: float, waiting: Any) -> Any:
    try:
        async with asyncio.timeout(seconds):
            return await waiting
    except aiohttp.ServerTimeoutError:
        # No connection was established: that is no timeout of the model.
        raise
    except TimeoutError as error:
        raise Silent(seconds) from error


async def _patiently(patience: Patience, asked_at: float, waiting: Any) -> Any:
    """Wait for the first token; longer while the model is loading, or its host writes other answers.

    The time counts from the last part of any of the host's answers: a host writes some at once and queues the rest.
    """
    task = asyncio.ensure_future(waiting)
    began = time.monotonic()
    try:
        while True:
            done, _ = await asyncio.wait({task}, timeout=min(patience.first_seconds, _LOOK_AGAIN_SECONDS))
            if done:
                return task.result()
            now, heard_at = time.monotonic(), patience.heard_at()
            waited = now - max(began, heard_at)
            if waited < patience.first_seconds:
                continue
            if now - max(asked_at, heard_at) > patience.load_seconds or not await patience.is_loading():
                raise Silent(round(waited) if waited > 1 else patience.first_seconds)
    finally:
        if not task.done():
            task.cancel()
            with suppress(asyncio.CancelledError, aiohttp.ClientError):
                await task


class _Lines:
    """Splits a stream of bytes into lines."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def after(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the lines that end in this chunk."""
        self._rest += chunk
        while (end := self._rest.find(b"\n")) >= 0:
            line = bytes(self._rest[:end]).strip()
            del self._rest[: end + 1]
            if line:
                yield line
        if len(self._rest) > _LINE_BYTES:
            raise LineTooLong


def _events(line: bytes) -> Iterator[ChatEvent]:
    part = json.loads(line)
    if not isinstance(part, dict):
        raise TypeError("a line that is no object")
    if part.get("error"):
        raise ollama.ResponseError(str(part["error"]))
    message = part.get("message") or {}
    thinking, content = message.get("thinking") or "", message.get("content") or ""
    if not (isinstance(thinking, str) and isinstance(content, str)):
        raise TypeError("a message that is no text")
    if thinking:
        yield ReasoningDelta(thinking)
    if content:
        yield TextDelta(content)
    yield from _tool_calls(message.get("tool_calls"))
    if part.get("done") is True:
        yield _finished(part)
    elif part.get("done"):
        raise TypeError("an end that is none")


def _tool_calls(given: Any) -> Iterator[ToolCalled]:
    """Yield the tool calls of a message, up to a limit; ignores those that are no objects."""
    for item in given[:_MOST_CALLS] if isinstance(given, list) else ():
        function = item.get("function") if isinstance(item, dict) else None
        if isinstance(function, dict) and isinstance(function.get("name"), str):
            arguments = function.get("arguments")
            named = str(item.get("id") or "")[:100]
            yield ToolCalled(ToolCall(function["name"][:100], arguments if isinstance(arguments, dict) else {}, named))


def _finished(part: dict[str, Any]) -> AnswerFinished:
    def count(name: str) -> int:
        return min(max(0, int(part.get(name) or 0)), _MOST_TOKENS)

    def nanoseconds(name: str) -> float:
        return min(max(0, int(part.get(name) or 0)), _LONGEST_NANOSECONDS) / _NANOSECONDS

    return AnswerFinished(
        reason=str(part.get("done_reason") or "stop"),
        prompt_tokens=count("prompt_eval_count"),
        answer_tokens=count("eval_count"),
        load_seconds=nanoseconds("load_duration"),
        prompt_seconds=nanoseconds("prompt_eval_duration"),
        answer_seconds=nanoseconds("eval_duration"),
    )
