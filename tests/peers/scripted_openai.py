"""A server with OpenAI's API whose models' names define their behavior, as vLLM and llama.cpp answer (scripted_model.py).

The keys are those of scripted_ollama.py: tokens, rate, first, think, text, count, resume, call, hold, needs, and `fault`, after
`at` tokens: error-event | cut | no-reason | reset | garbage | not-json-object | wrong-fields | silent | endless-line | endless-event | compressed | nul |
filter | length | absurd-counts | html-status | endless-list | too-long | limited. A model without a script answers 404.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from tests.peers.scripted_model import Script, goes_on, resumed

TOO_LONG = "This model's maximum context length is 4096 tokens. However, you requested 9000 tokens."


@dataclass
class ScriptedOpenAI:
    """The server: its address, its models, and its requests."""

    key: str = ""
    """The key that it wants; "" for none."""
    refusal: str = "Incorrect API key provided: sk-***abc."
    """What it says to another key."""
    offered: list[dict[str, Any]] = field(default_factory=lambda: [{"id": "scripted:tokens=20", "object": "model"}])
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    """The Authorization headers of its requests."""
    generating: int = 0
    held: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    """Answers that wait in their middle (`hold`) go on by it, one each."""
    endless_list: bool = False
    port: int = 0
    _server: asyncio.Server | None = None
    _connections: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Its address in the form of OPENAI_HOSTS."""
        return f"http://127.0.0.1:{self.port}/v1"

    async def start(self) -> None:
        """Listen; after a stop, on the same port as before."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening, and break every connection."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._connections):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            while await self._serve_one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._connections.discard(writer)
            writer.close()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        request = await reader.readline()
        if not request.strip():
            return False
        if not request.isascii():
            # The beginning of TLS.
            return False
        method, path, _ = request.decode().split(" ", 2)
        headers: dict[str, str] = {}
        while (line := await reader.readline()).strip():
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        return await self._respond(method, path, headers, body, reader, writer)

    async def _respond(
        self, method: str, path: str, headers: dict[str, str], body: bytes,
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter,
    ) -> bool:  # fmt: skip
        """Answer a request; False when the connection ends with it."""
        authorization = headers.get("authorization", "")
        self.keys.add(authorization)
        if self.key and authorization != f"Bearer {self.key}":
            await answer(writer, 401, _error(self.refusal, "invalid_api_key"))
        elif (method, path) == ("GET", "/v1/models"):
            await (
                endless(writer) if self.endless_list else answer(writer, 200, {"object": "list", "data": self.offered})
            )
        elif (method, path) == ("POST", "/v1/chat/completions"):
            return await self._chat(json.loads(body), reader, writer)
        else:
            await answer(writer, 404, {"detail": "Not Found"})
        return True

    async def _chat(self, asked: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        self.asked.append(asked)
        model = str(asked.get("model"))
        script = Script.named(model)
        refusal = _refusal(model, script)
        if refusal is not None or script is None:
            await answer(writer, *(refusal or (500, "")))
            return True
        encoding = b"Content-Encoding: gzip\r\n" if script.fault == "compressed" else b""
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" + encoding + b"Transfer-Encoding: chunked\r\n\r\n"
        )
        told = asked["messages"]
        wants = script.call and asked.get("tools") and not any(message["role"] == "tool" for message in told)
        await self._until_left(_call(model, script, writer) if wants else self._say(asked, script, writer), reader)
        return False

    async def _until_left(self, saying: Coroutine[Any, Any, None], reader: asyncio.StreamReader) -> None:
        """Say an answer, and stop when the client hangs up."""
        self.generating += 1
        generating, leaving = asyncio.create_task(saying), asyncio.create_task(reader.read(1))
        try:
            await asyncio.wait({generating, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.generating -= 1
            for task in (generating, leaving):
                task.cancel()
                with suppress(asyncio.CancelledError, ConnectionError):
                    await task

    async def _say(self, asked: dict[str, Any], script: Script, writer: asyncio.StreamWriter) -> None:
        model, messages = asked["model"], asked["messages"]
        await asyncio.sleep(script.first)
        await send_event(writer, _chunk(model, {"role": "assistant", "content": ""}))
        pieces = [("reasoning_content", f"thought {number} ") for number in range(script.think)]
        pieces += [("content", piece) for piece in resumed(script, messages)]
        for number, (kind, text) in enumerate(pieces):
            if str(number) == script.hold and not goes_on(messages):
                await self.held.acquire()
            if script.rate:
                await asyncio.sleep(1 / script.rate)
            if number == script.at and script.fault and await _fault(script.fault, model, writer):
                return
            await send_event(writer, _chunk(model, {kind: text}))
        await send_event(
            writer, _chunk(model, {}, {"filter": "content_filter", "length": "length"}.get(script.fault, "stop"))
        )
        if (asked.get("stream_options") or {}).get("include_usage"):
            tokens: Any = float("inf") if script.fault == "absurd-counts" else len(pieces)
            usage = {"prompt_tokens": 10, "completion_tokens": tokens, "total_tokens": 10 + len(pieces)}
            await send_event(writer, _chunk(model) | {"choices": [], "usage": usage})
        await send_event(writer, "[DONE]")
        await end(writer)


def _refusal(model: str, script: Script | None) -> tuple[int, Any] | None:
    if script is None:
        return 404, _error(f"The model `{model}` does not exist.", "model_not_found")
    if script.needs:
        return 403, _error(script.needs, "forbidden")
    return {
        "html-status": (502, "<html>Bad Gateway</html>"),
        "refused": (400, _error("this model cannot do that", "invalid_request_error")),
        "too-long": (400, _error(TOO_LONG, "context_length_exceeded")),
        "limited": (429, _error("You exceeded your current quota.", "insufficient_quota")),
    }.get(script.fault)


async def _call(model: str, script: Script, writer: asyncio.StreamWriter) -> None:
    """Send a tool call as servers do: its arguments are a JSON text, in pieces."""
    arguments = json.dumps({"query": script.call})
    first = {
        "index": 0,
        "id": "call_1o8cb8oy",
        "type": "function",
        "function": {"name": "search_documents", "arguments": ""},
    }
    await send_event(writer, _chunk(model, {"role": "assistant", "content": None, "tool_calls": [first]}))
    for at in range(0, len(arguments), 7):
        await send_event(
            writer, _chunk(model, {"tool_calls": [{"index": 0, "function": {"arguments": arguments[at : at + 7]}}]})
        )
    await send_event(writer, _chunk(model, {}, "tool_calls"))
    await send_event(writer, "[DONE]")
    await end(writer)


async def _fault(fault: str, model: str, writer: asyncio.StreamWriter) -> bool:
    """Cause a fault; returns True if it ends the answer."""
    match fault:
        case "error-event":
            await send_event(writer, _error("CUDA out of memory", "server_error"))
        case "cut" | "no-reason":
            if fault == "no-reason":
                await send_event(writer, "[DONE]")
        case "reset":
            writer.transport.abort()
            return True
        case "garbage":
            await send_event(writer, "<html>this is no JSON</html>")
        case "not-json-object":
            await send_event(writer, "42")
        case "wrong-fields":
            await send_event(writer, {"choices": "none", "usage": 7, "model": ["x"]})
        case "silent":
            await asyncio.sleep(3600)
        case "endless-line":
            await endless(writer, has_head=False)
        case "endless-event":
            line = b"data: " + b"x" * 1_000 + b"\n"
            for _ in range(10_000):
                writer.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
                await writer.drain()
        case "nul":
            await send_event(writer, _chunk(model, {"content": "a\x00b\ud800c\u202egnp.exe "}))
            return False
        case "filter" | "length" | "absurd-counts" | "compressed":
            return False
        case _:
            raise AssertionError(f"no such fault: {fault}")
    await end(writer)
    return True


def _chunk(model: str, delta: dict[str, Any] | None = None, reason: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta or {}, "logprobs": None, "finish_reason": reason}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": model,
        "choices": [choice],
    }


def _error(message: str, code: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}


async def endless(writer: asyncio.StreamWriter, *, has_head: bool = True) -> None:
    """Send 64 MB without an end."""
    if has_head:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(64):
        writer.write(b"100000\r\n" + b"x" * 0x100000 + b"\r\n")
        await writer.drain()


async def answer(writer: asyncio.StreamWriter, status: int, content: Any) -> None:
    """Send a whole response."""
    body = content.encode() if isinstance(content, str) else json.dumps(content).encode()
    kind = "text/html" if isinstance(content, str) else "application/json"
    head = f"HTTP/1.1 {status} Scripted\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()


async def send_event(writer: asyncio.StreamWriter, content: Any, name: str = "") -> None:
    """Send one event of a stream, with a name if it has one."""
    head = f"event: {name}\n" if name else ""
    data = f"{head}data: {content if isinstance(content, str) else json.dumps(content)}\n\n".encode()
    writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
    await writer.drain()


async def end(writer: asyncio.StreamWriter) -> None:
    """End a stream."""
    writer.write(b"0\r\n\r\n")
    await writer.drain()


@asynccontextmanager
async def scripted_openai(key: str = "") -> AsyncGenerator[ScriptedOpenAI]:
    """Run the server while the context is open."""
    server = ScriptedOpenAI(key=key)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
