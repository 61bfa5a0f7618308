"""An Ollama daemon whose models' names define their behavior; it has the observed protocol of version 0.32.15.

A model is named `scripted:key=value,key=value`. Keys: `tokens` (how many, default 20), `rate` (tokens a second,
0 = at once), `first` (seconds before the first), `think` (reasoning tokens first), `text` (each token, default
"word "), `count` (1: it says "1 2 3 ..." instead, so that a lost or repeated piece shows), `resume` (what it does when it is
given the beginning of its answer: on (default; goes on from there), anew (says all of it again, as models without prefill
do), other (says something else), none (says nothing); asked in words to go on, all of them do, but `never`, which begins another answer each time), `call` (it can use tools: where some are offered and none has answered yet, it looks for this), `see` (1: it takes pictures; others refuse them), `stamp` (1: each token is the moment it is sent instead, in milliseconds since 1970), and `load` (seconds that it takes to be loaded, from the beginning again when the client hangs up meanwhile; /api/ps does not list it before), `context` (tokens that it was made for, default 131072), `remote` (the service that it passes requests on to), `needs` (403 and these words, as of a cloud model), `hold` (after so many tokens, or 5+50, it waits for `go_on`, so that a test does something in the middle of an answer, on any machine; not when it is given the beginning of its answer), and `fault`, after `at` tokens: error-line | cut | reset | garbage | not-json-object | wrong-fields | silent
| big-line | endless-line | nul | markdown | html-status. Everything is served by a few lines over asyncio's own sockets, so that a broken
connection is really broken.

Run alone: python -m tests.peers.scripted_ollama PORT [MODEL ...], where the models are those it offers.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
import time
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any

from tests.peers import ollama_wire, scripted_embedder, scripted_library
from tests.peers.scripted_model import Script, goes_on, resumed

MARKDOWN = (
    "# A plan\n\nSome *words* and **more** words, `code` and [a link](https://example.org).\n\n"
    "- one\n- two\n\n```python\ndef answer() -> int:\n    return 42\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nThe end.\n"
)


@dataclass
class ScriptedOllama:
    """The daemon: its address, its models, and its requests."""

    port: int = 0
    listens_at: str = "127.0.0.1"
    offered: list[str] = field(default_factory=lambda: ["scripted:tokens=20"])
    asked: list[dict[str, Any]] = field(default_factory=list)
    generating: int = 0
    embedded: int = 0
    """The number of requests for vectors."""
    embedded_texts: list[str] = field(default_factory=list)
    """The texts of these requests."""
    loaded: set[str] = field(default_factory=set)
    """The loaded models, of those with a loading time."""
    unloaded: set[str] = field(default_factory=set)
    """The models that an administrator has unloaded, of those without a loading time."""
    pulled: list[str] = field(default_factory=list)
    """The models that it was asked to download."""
    loads: int = 0
    """The number of started loadings."""
    credentials: str = ""
    """The credentials of the last request that had some."""
    sent_at: list[float] = field(default_factory=list)
    """When each token was written to the socket (time.time())."""
    held: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    """Answers that wait in their middle (`hold`) go on by it, one each."""
    missing: set[str] = field(default_factory=set)
    """Models that it lists and does not have."""
    delay: float = 0.0
    """Seconds before each first token, beside those of the model."""
    cannot_show: bool = False
    """Whether it fails to say what a model is (/api/show)."""
    shown: int = 0
    """How many times it was asked that."""
    dies_loading: float | None = None
    """After so many seconds of a chat, before its first token, the whole daemon is gone."""
    at_once: asyncio.Semaphore | None = None
    """Like OLLAMA_NUM_PARALLEL: further chats wait in order without any response."""
    _server: asyncio.Server | None = None
    _connections: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def host(self) -> str:
        """Its address in the form of OLLAMA_HOSTS."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen; after a stop, on the same port as before."""
        self._server = await asyncio.start_server(self._serve, self.listens_at, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening, and break every connection."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._connections):
            writer.transport.abort()

    def go_on(self) -> None:
        """Let an answer that holds go on."""
        self.held.release()

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
        method, path, _ = request.decode().split(" ", 2)
        length = 0
        while (line := await reader.readline()).strip():
            name, _, value = line.decode().partition(":")
            if name.lower() == "content-length":
                length = int(value)
            if name.lower() == "authorization":
                self.credentials = base64.b64decode(value.split()[-1]).decode()
        body = await reader.readexactly(length)
        if (method, path) == ("POST", "/api/pull"):
            return await self._pull(scripted_library.body_of(body)["model"], writer)
        if (method, path) == ("DELETE", "/api/delete"):
            await ollama_wire.answer(writer, *self._delete(scripted_library.body_of(body)["model"]))
            return True
        if (method, path) == ("POST", "/api/chat"):
            return await self._chat(body, reader, writer)
        if method == "POST" and path in {"/api/embed", "/api/show"}:
            self.embedded += path == "/api/embed"
            asked = json.loads(body)
            self.embedded_texts += asked.get("input") or []
            answered = scripted_embedder.embedded(asked) if path == "/api/embed" else self._show(asked)
            await ollama_wire.answer(writer, *answered)
            return True
        await ollama_wire.answer(writer, *self._simple(method, path))
        return True

    async def _pull(self, model: str, writer: asyncio.StreamWriter) -> bool:
        self.pulled.append(model)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n")
        is_there = await scripted_library.pulled(model, lambda content: ollama_wire.line(writer, content), self.held)
        if is_there and model not in self.offered:
            self.offered.append(model)
        if not is_there and "pull=cut" in model:
            writer.transport.abort()
            return False
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return False

    def _delete(self, model: str) -> tuple[int, Any]:
        if model not in self.offered:
            return 404, {"error": f"model '{model}' not found"}
        self.offered.remove(model)
        self.loaded.discard(model)
        return 200, ""

    async def _load(self, model: str, script: Script, writer: asyncio.StreamWriter, *, stays: bool) -> None:
        """Answer a chat without messages, which loads or unloads a model."""
        if stays and script.load:
            self.loads += 1
            await asyncio.sleep(script.load)
        (self.loaded.add if stays else self.loaded.discard)(model)
        self.unloaded = self.unloaded - {model} if stays else self.unloaded | {model}
        await ollama_wire.answer(
            writer, 200, ollama_wire.part(model, done=True) | {"done_reason": "load" if stays else "unload"}
        )

    def _show(self, asked: dict[str, Any]) -> tuple[int, Any]:
        model = str(asked.get("model") or "")
        self.shown += 1
        if self.cannot_show:
            return 500, {"error": "the manifest cannot be read"}
        if model not in self.offered:
            return 404, {"error": f"model '{model}' not found"}
        if scripted_embedder.is_embedder(model):
            return 200, scripted_embedder.shown(model)
        context = int(scripted_embedder.keys_of(model).get("context", "131072"))
        return 200, scripted_library.shown(model, context)

    def _simple(self, method: str, path: str) -> tuple[int, Any]:
        match method, path:
            case "GET", "/api/version":
                return 200, {"version": "0.32.15"}
            case "GET", "/api/tags":
                return 200, {"models": [ollama_wire.tag(name) for name in self.offered]}
            case "GET", "/scripted":
                # Not in Ollama's API: the number of running answers.
                return 200, {"generating": self.generating}
            case "POST", "/scripted/go-on":
                self.go_on()
                return 200, {}
            case "GET", "/api/ps":
                offered = [name for name in self.offered if name not in self.unloaded]
                loaded = [name for name in offered if "load=" not in name or name in self.loaded]
                return 200, {"models": [{"name": name, "model": name, "size": 1, "size_vram": 1} for name in loaded]}
            case _:
                return 404, {"error": f"{method} {path} is not scripted"}

    async def _chat(self, body: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        if not body:
            await ollama_wire.answer(writer, 400, {"error": "missing request body"})
            return True
        asked = json.loads(body)
        model = asked.get("model") or ""
        if asked.get("messages") != []:
            self.asked.append(asked)
        script = Script.named(model)
        if not model or script is None or model in self.missing:
            status, said = (400, "model is required") if not model else (404, f"model '{model}' not found")
            await ollama_wire.answer(writer, status, {"error": said})
            return True
        if "messages" in asked and not asked["messages"]:
            await self._load(model, script, writer, stays=asked.get("keep_alive") != 0)
            return True
        if script.needs:
            await ollama_wire.answer(writer, 403, {"error": script.needs})
            return True
        if script.fault == "html-status":
            await ollama_wire.answer(writer, 502, "<html>Bad Gateway</html>")
            return True
        if script.fault == "refused":
            await ollama_wire.answer(
                writer, 400, {"error": json.dumps({"error": {"message": "this model cannot do that"}})}
            )
            return True
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n")
        self.generating += 1
        # Detects a disconnect of the client at once, as the real daemon does.
        told = asked.get("messages") or []
        if any(message.get("images") for message in told) and "see=" not in model:
            inner = {"code": 500, "message": "image input is not supported by this model", "type": "server_error"}
            await ollama_wire.answer(writer, 400, {"error": json.dumps({"error": inner})})
            return True
        wants = script.call and asked.get("tools") and not any(message["role"] == "tool" for message in told)
        saying = _ask_for(model, script.call, writer) if wants else self._generate(model, script, told, writer)
        generating = asyncio.create_task(self._in_turn(saying))
        leaving = asyncio.create_task(reader.read(1))
        try:
            await asyncio.wait({generating, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.generating -= 1
            leaving.cancel()
            generating.cancel()
            for task in (generating, leaving):
                with suppress(asyncio.CancelledError, ConnectionError):
                    await task
        return False

    async def _in_turn(self, saying: Coroutine[Any, Any, None]) -> None:
        try:
            async with self.at_once or nullcontext():
                await saying
        finally:
            saying.close()

    async def _generate(
        self, model: str, script: Script, messages: list[dict[str, Any]], writer: asyncio.StreamWriter
    ) -> None:
        began = time.perf_counter()
        if self.dies_loading is not None:
            await asyncio.sleep(self.dies_loading)
            await self.stop()
        await asyncio.sleep(self.delay)
        if script.load and model not in self.loaded:
            self.loads += 1
            await asyncio.sleep(script.load)
            self.loaded.add(model)
        await asyncio.sleep(script.first)
        pieces = [("thinking", f"thought {number} ") for number in range(script.think)]
        if script.fault == "markdown":
            pieces += [("content", MARKDOWN[at : at + 4]) for at in range(0, len(MARKDOWN), 4)]
        else:
            pieces += [("content", piece) for piece in resumed(script, messages)]
        begin = time.perf_counter()
        holds = set() if goes_on(messages) else {int(number) for number in script.hold.split("+") if number}
        for number, (kind, text) in enumerate(pieces):
            if number in holds:
                await self.held.acquire()
                begin = time.perf_counter() - number / (script.rate or 1)
            if script.rate:
                # By the clock instead of equal pauses, so that the rate is correct on a busy machine.
                await asyncio.sleep(max(0.0, begin + number / script.rate - time.perf_counter()))
            if (
                number == script.at
                and script.fault not in {"", "markdown"}
                and await ollama_wire.fault(script.fault, model, writer)
            ):
                return
            self.sent_at.append(time.time())
            said = f"{self.sent_at[-1] * 1000:.0f} " if script.stamp else text
            part = (
                ollama_wire.part(model, thinking=said) if kind == "thinking" else ollama_wire.part(model, content=said)
            )
            await ollama_wire.line(writer, part)
        took = int((time.perf_counter() - began) * 1e9)
        await ollama_wire.line(
            writer,
            ollama_wire.part(model, done=True)
            | ollama_wire.durations(len(pieces), took)
            | {"done_reason": script.ends},
        )
        writer.write(b"0\r\n\r\n")
        await writer.drain()


async def _ask_for(model: str, words: str, writer: asyncio.StreamWriter) -> None:
    """Send a tool call as a daemon does: arguments are an object, and `done_reason` is "stop"."""
    function = {"index": 0, "name": "search_documents", "arguments": {"query": words}}
    part = ollama_wire.part(model)
    part["message"]["tool_calls"] = [{"id": "call_1o8cb8oy", "function": function}]
    await ollama_wire.line(writer, part)
    await ollama_wire.line(writer, ollama_wire.part(model, done=True) | ollama_wire.durations(1, 1))
    writer.write(b"0\r\n\r\n")
    await writer.drain()


@asynccontextmanager
async def scripted_ollama(*offered: str) -> AsyncGenerator[ScriptedOllama]:
    """Run the daemon while the context is open."""
    daemon = ScriptedOllama()
    if offered:
        daemon.offered = list(offered)
    await daemon.start()
    try:
        yield daemon
    finally:
        await daemon.stop()


async def _run_alone(port: int, *offered: str) -> None:
    daemon = ScriptedOllama(port=port, listens_at=os.environ.get("SCRIPTED_HOST", "127.0.0.1"))
    daemon.offered = list(offered) or daemon.offered
    await daemon.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_run_alone(int(sys.argv[1]), *sys.argv[2:]))
