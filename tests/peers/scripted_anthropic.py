"""A server with Anthropic's Messages API whose models' names define their behavior (scripted_model.py).

The keys are those of scripted_openai.py: tokens, rate, first, think, text, count, call, needs, and `fault`, after `at` tokens:
error-event | overloaded | unknown-event | cut | no-reason | reset | garbage | not-json-object | wrong-fields | invalid-utf8 | silent |
endless-line | endless-arguments | compressed | deep | refusal | length | absurd-counts | html-status | too-long | limited.
A model without a script answers 404.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.peers.scripted_model import Script, resumed
from tests.peers.scripted_openai import ScriptedOpenAI, answer, end, endless, send_event


def offered(name: str, **capabilities: Any) -> dict[str, Any]:
    """A row of the list of models."""
    found = {
        key: {"supported": True} | (value if isinstance(value, dict) else {}) for key, value in capabilities.items()
    }
    return {
        "type": "model", "id": name, "display_name": name, "created_at": "2026-01-01T00:00:00Z", "lifecycle": "active",
        "max_input_tokens": 200_000, "max_tokens": 64_000, "capabilities": found,
    }  # fmt: skip


@dataclass
class ScriptedAnthropic(ScriptedOpenAI):
    """The server: its address, its models, and its requests."""

    refusal: str = "invalid x-api-key"
    offered: list[dict[str, Any]] = field(default_factory=lambda: [offered("scripted:tokens=20", image_input=True)])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def _respond(
        self, method: str, path: str, headers: dict[str, str], body: bytes,
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter,
    ) -> bool:  # fmt: skip
        # The API takes its keys in both headers.
        key = headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ")
        self.keys.add(key)
        assert headers.get("anthropic-version")
        if self.key and key != self.key:
            await answer(writer, 401, _error("authentication_error", self.refusal))
        elif method == "GET" and path.startswith("/v1/models"):
            page = {"data": self.offered, "has_more": False, "first_id": None, "last_id": None}
            await (endless(writer) if self.endless_list else answer(writer, 200, page))
        elif (method, path) == ("POST", "/v1/messages"):
            return await self._message(json.loads(body), reader, writer)
        else:
            await answer(writer, 404, _error("not_found_error", "Not Found"))
        return True

    async def _message(self, asked: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        self.asked.append(asked)
        script = Script.named(asked["model"])
        refusal = _wrong(asked) or _refusal(asked["model"], script)
        if refusal is not None or script is None:
            await answer(writer, *(refusal or (500, "")))
            return True
        encoding = b"Content-Encoding: gzip\r\n" if script.fault == "compressed" else b""
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" + encoding + b"Transfer-Encoding: chunked\r\n\r\n"
        )
        await self._until_left(self._write(asked, script, writer), reader)
        return False

    async def _write(self, asked: dict[str, Any], script: Script, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(script.first)
        usage = {"input_tokens": 6, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 0, "output_tokens": 1}
        message = {"id": "msg_1", "type": "message", "role": "assistant", "model": asked["model"], "content": []}
        await _send(writer, "message_start", message=message | {"stop_reason": None, "usage": usage})
        await _send(writer, "ping")
        has_result = "tool_result" in json.dumps(asked["messages"][-1])
        if script.call and asked.get("tools") and not has_result:
            await _call(script, writer)
            reason, tokens = "tool_use", 9
        else:
            tokens = script.think + script.tokens
            if await _blocks(asked, script, writer):
                return
            reason = {"refusal": "refusal", "length": "max_tokens"}.get(script.fault, "end_turn")
        counted: Any = float("inf") if script.fault == "absurd-counts" else tokens
        counts = {"output_tokens": -3 if script.fault == "wrong-counts" else counted}
        await _send(writer, "message_delta", delta={"stop_reason": reason, "stop_sequence": None}, usage=counts)
        await _send(writer, "message_stop")
        await end(writer)


async def _blocks(asked: dict[str, Any], script: Script, writer: asyncio.StreamWriter) -> bool:
    """Send reasoning and text, each as a block; True if a fault has ended the answer."""
    texts = resumed(script, _as_openai(asked["messages"]))
    blocks = [("thinking", [f"thought {number} " for number in range(script.think)]), ("text", texts)]
    said = 0
    for index, (kind, pieces) in enumerate(block for block in blocks if block[1]):
        await _send(writer, "content_block_start", index=index, content_block={"type": kind, kind: ""})
        for piece in pieces:
            if script.rate:
                await asyncio.sleep(1 / script.rate)
            if said == script.at and script.fault and await _fault(script.fault, writer):
                return True
            said += 1
            await _send(writer, "content_block_delta", index=index, delta={"type": f"{kind}_delta", kind: piece})
        if kind == "thinking":
            signature = {"type": "signature_delta", "signature": "c2ln"}
            await _send(writer, "content_block_delta", index=index, delta=signature)
        await _send(writer, "content_block_stop", index=index)
    return False


def _as_openai(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    texts = lambda parts: "".join(part.get("text", "") for part in parts)  # noqa: E731 - two uses in one line
    return [{"role": message["role"], "content": texts(message["content"])} for message in messages]


def _wrong(asked: dict[str, Any]) -> tuple[int, Any] | None:
    """Return what the API refuses of a request, as it says it."""
    roles = [message["role"] for message in asked["messages"]]
    texts = [part for message in asked["messages"] for part in message["content"] if part["type"] == "text"]
    said = ""
    if not isinstance(asked.get("max_tokens"), int):
        said = "max_tokens: Field required"
    elif any(role not in {"user", "assistant"} for role in roles):
        said = "messages: Unexpected role"
    elif roles[-1:] == ["assistant"]:
        said = "This model does not support assistant message prefill. The conversation must end with a user message."
    elif any(not part["text"].strip() for part in texts):
        said = "messages: text content blocks must be non-empty"
    elif unknown := {"temperature", "top_p", "top_k", "seed"} & asked.keys():
        said = f"{min(unknown)}: this model does not support it"
    return (400, _error("invalid_request_error", said)) if said else None


def _refusal(model: str, script: Script | None) -> tuple[int, Any] | None:
    if script is None:
        return 404, _error("not_found_error", f"model: {model}")
    if script.needs:
        return 403, _error("permission_error", script.needs)
    return {
        "html-status": (502, "<html>Bad Gateway</html>"),
        "too-long": (400, _error("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum")),
        "limited": (429, _error("rate_limit_error", "This request would exceed your rate limit.")),
        "busy": (529, _error("overloaded_error", "Overloaded")),
    }.get(script.fault)


async def _call(script: Script, writer: asyncio.StreamWriter) -> None:
    """Send a tool call as the API does: its arguments are a JSON text, in pieces."""
    block = {"type": "tool_use", "id": "toolu_01A09q90", "name": "search_documents", "input": {}}
    await _send(writer, "content_block_start", index=0, content_block=block)
    arguments = json.dumps({"query": script.call})
    for at in range(0, len(arguments), 7):
        delta = {"type": "input_json_delta", "partial_json": arguments[at : at + 7]}
        await _send(writer, "content_block_delta", index=0, delta=delta)
    if script.fault == "endless-arguments":
        for _ in range(64):
            delta = {"type": "input_json_delta", "partial_json": "x" * 1_000_000}
            await _send(writer, "content_block_delta", index=0, delta=delta)
    await _send(writer, "content_block_stop", index=0)


async def _fault(fault: str, writer: asyncio.StreamWriter) -> bool:
    """Cause a fault; returns True if it ends the answer."""
    match fault:
        case "error-event" | "overloaded":
            kind = "overloaded_error" if fault == "overloaded" else "api_error"
            await send_event(writer, _error(kind, "Overloaded"), "error")
        case "unknown-event":
            await _send(writer, "message_summary", summary={"text": "new in 2027"})
            return False
        case "no-reason":
            await _send(writer, "message_stop")
        case "reset":
            writer.transport.abort()
            return True
        case "garbage":
            await send_event(writer, "<html>this is no JSON</html>", "content_block_delta")
        case "not-json-object":
            await send_event(writer, "42", "content_block_delta")
        case "wrong-fields":
            await _send(writer, "content_block_delta", index="x", delta=7)
        case "deep":
            await send_event(writer, '{"type": ' + "[" * 200_000, "content_block_delta")
        case "invalid-utf8":
            data = b"event: content_block_delta\ndata: \xff\xfe\n\n"
            writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        case "silent":
            await asyncio.sleep(3600)
        case "endless-line":
            await endless(writer, has_head=False)
        case "cut":
            pass
        case _:
            return False
    await end(writer)
    return True


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}


async def _send(writer: asyncio.StreamWriter, kind: str, **fields: Any) -> None:
    await send_event(writer, {"type": kind} | fields, kind)


@asynccontextmanager
async def scripted_anthropic(key: str = "") -> AsyncGenerator[ScriptedAnthropic]:
    """Run the server while the context is open."""
    server = ScriptedAnthropic(key=key)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
