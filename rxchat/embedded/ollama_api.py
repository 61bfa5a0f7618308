"""Ollama's HTTP API on top of llama.cpp, so that the rest of RxChat uses the demo model like any Ollama host."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from rxchat.embedded.llama import Delta, Finished, Llama, LlamaFailed
from rxchat.embedded.ollama_catalog import Catalog, Model
from rxchat.embedded.ollama_prompts import fitted, fitted_text
from rxchat.embedded.ollama_requests import (
    BadRequest,
    Json,
    Options,
    body_of,
    flag,
    inputs_of,
    messages_of,
    model_of,
    options_of,
    refuse_images,
    text_field,
)

log = structlog.get_logger(__name__)

VERSION = "0.32.15+rxchat"
_RUNNER_ERROR = "an error was encountered while running the model: "
_CANNOT_PULL = (
    "pull model manifest: this is RxChat's own demo model server, which cannot fetch models: "
    "install Ollama and set OLLAMA_HOSTS to its address"
)
_LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1", "0.0.0.0"}  # noqa: S104 - compared, never listened on

Result = TypeVar("Result")
Handler = Callable[[Request], Awaitable[Response]]


def build_app(catalog: Catalog) -> Starlette:
    """Return the ASGI application of the API for a catalog of models."""
    api = OllamaApi(catalog)
    get, post = ["GET", "HEAD"], ["POST"]
    routes = [
        ("/", api.root, get),
        ("/api/version", api.version, get),
        ("/api/tags", api.tags, get),
        ("/api/ps", api.loaded, get),
        ("/api/show", api.show, post),
        ("/api/chat", api.chat, post),
        ("/api/generate", api.generate, post),
        ("/api/embed", api.embed, post),
        ("/api/pull", api.pull, post),
    ]
    return Starlette(
        routes=[Route(path, _guarded(handler), methods=methods) for path, handler, methods in routes],
        exception_handlers={404: _page_not_found},
    )


def _guarded(handler: Handler) -> Handler:
    """Wrap a handler: refuse web pages of other origins, and return errors in Ollama's form."""

    async def guarded(request: Request) -> Response:
        origin = request.headers.get("origin")
        if origin and urlsplit(origin).hostname not in _LOCAL_HOSTS:
            return Response(status_code=403)
        try:
            return await handler(request)
        except BadRequest as refusal:
            return _json({"error": refusal.message}, refusal.status)
        except LlamaFailed as failure:
            log.warning("model_failed", error=str(failure))
            return _json({"error": _RUNNER_ERROR + str(failure)}, 500)

    return guarded


async def _page_not_found(_request: Request, _error: Exception) -> Response:
    """Return the 404 of Ollama's router."""
    return PlainTextResponse("404 page not found", 404)


class OllamaApi:
    """The handlers, one for each endpoint of Ollama's API."""

    def __init__(self, catalog: Catalog) -> None:
        """Serve the models of a catalog."""
        self._catalog = catalog

    async def root(self, _request: Request) -> Response:
        """GET /: the text by which users recognize Ollama in a browser."""
        return PlainTextResponse("Ollama is running")

    async def version(self, _request: Request) -> Response:
        """GET /api/version."""
        return _json({"version": VERSION})

    async def tags(self, _request: Request) -> Response:
        """GET /api/tags: the available models."""
        return _json({"models": [await model.row() for model in self._catalog.models]})

    async def loaded(self, _request: Request) -> Response:
        """GET /api/ps: the loaded models."""
        expires = (datetime.now(UTC) + timedelta(days=1)).isoformat().replace("+00:00", "Z")
        rows = []
        for model in self._catalog.models:
            if model.is_shown_as_loaded:
                row = await model.row()
                del row["modified_at"], row["capabilities"]
                more = {"expires_at": expires, "size_vram": 0, "context_length": model.llama.slot_tokens}
                rows.append({**row, **more})
        return _json({"models": rows})

    async def show(self, request: Request) -> Response:
        """POST /api/show: the details of a model."""
        model = self._catalog.named(model_of(body_of(await request.body())))
        row = await model.row()
        return _json(
            {
                "license": model.about["license"],
                "modelfile": f"FROM {model.name}\n",
                "template": model.about["template"],
                "details": model.details,
                "model_info": model.model_info,
                "capabilities": row["capabilities"],
                "modified_at": row["modified_at"],
            }
        )

    async def chat(self, request: Request) -> Response:
        """POST /api/chat: continue a conversation."""
        body = body_of(await request.body())
        messages, options = messages_of(body), options_of(body)
        model = self._completing(body, "chat")

        async def prompt(llama: Llama) -> str:
            return await fitted(llama, messages, options.context_tokens, options.answer_tokens)

        run = _Run(model, body, options, lambda text: {"message": {"role": "assistant", "content": text}})
        return await run.respond(request, prompt if messages else None)

    async def generate(self, request: Request) -> Response:
        """POST /api/generate: answer one prompt."""
        body = body_of(await request.body())
        text, system, options = text_field(body, "prompt"), text_field(body, "system"), options_of(body)
        if body.get("images"):
            refuse_images()
        model = self._completing(body, "generate")
        messages: list[Json] = [{"role": "system", "content": system}] if system else []
        messages.append({"role": "user", "content": text})

        async def prompt(llama: Llama) -> str:
            if flag(body, "raw", default=False):
                return await fitted_text(llama, text, options.context_tokens, options.answer_tokens)
            return await fitted(llama, messages, options.context_tokens, options.answer_tokens)

        run = _Run(model, body, options, lambda piece: {"response": piece})
        return await run.respond(request, prompt if text else None)

    def _completing(self, body: Json, verb: str) -> Model:
        """Return the requested model, if it supports the request."""
        name = model_of(body)
        model = self._catalog.named(name)
        if model.capability != "completion":
            raise BadRequest(400, f'"{name}" does not support {verb}')
        if body.get("tools"):
            raise BadRequest(400, f"{model.full_name} does not support tools")
        if body.get("think") not in (None, False):
            raise BadRequest(400, f'"{name}" does not support thinking')
        return model

    async def embed(self, request: Request) -> Response:
        """POST /api/embed: vectors for texts."""
        begin = time.perf_counter_ns()
        body = body_of(await request.body())
        texts = inputs_of(body)
        name = model_of(body)
        options_of(body)
        model = self._catalog.named(name)
        if model.capability != "embedding":
            raise BadRequest(501, "This server does not support embeddings. Start it with --embeddings")
        load = await model.llama.load()
        model.is_shown_as_loaded = True
        if not texts:
            return _json({"model": name, "embeddings": []})
        inputs = [await model.llama.marked(text) for text in texts]
        window: int = model.model_info["bert.context_length"]
        if not flag(body, "truncate", default=True) and any(len(tokens) > window for tokens in inputs):
            raise BadRequest(400, "the input length exceeds the context length")
        # The last token is the special token that ends a text.
        inputs = [[*tokens[: window - 1], tokens[-1]] if len(tokens) > window else tokens for tokens in inputs]
        embedded = await _unless_gone(request, model.llama.embed(inputs))
        return _json(
            {
                "model": name,
                "embeddings": embedded.vectors,
                "total_duration": time.perf_counter_ns() - begin,
                "load_duration": load,
                "prompt_eval_count": embedded.tokens,
            }
        )

    async def pull(self, request: Request) -> Response:
        """POST /api/pull: an error inside a 200 stream, as Ollama sends it, since pulling is not supported."""
        body = body_of(await request.body())
        model_of(body)
        if not flag(body, "stream", default=True):
            return _json({"error": _CANNOT_PULL}, 500)
        return _lines(_each({"status": "pulling manifest"}, {"error": _CANNOT_PULL}))


class _Run:
    """One answer of a chat or generate request, streamed or as one object."""

    def __init__(self, model: Model, body: Json, options: Options, wrap: Callable[[str], Json]) -> None:
        """Store the request; `wrap` returns the endpoint's field for a part of the text."""
        self._model = model
        self._name = model_of(body)
        self._streams = flag(body, "stream", default=True)
        self._unloads = body.get("keep_alive") in (0, "0", "0s", "0m")
        self._options = options
        self._wrap = wrap
        self._begin = time.perf_counter_ns()
        self._load = 0

    async def respond(self, request: Request, prompt: Callable[[Llama], Awaitable[str]] | None) -> Response:
        """Answer the prompt; without one, load or unload the model."""
        if prompt is None:
            if not self._unloads:
                await self._model.llama.load()
            self._model.is_shown_as_loaded = not self._unloads
            whole = self._line("") | {"done": True, "done_reason": "unload" if self._unloads else "load"}
            return _lines(_each(whole)) if self._streams else _json(whole)
        self._load = await self._model.llama.load()
        self._model.is_shown_as_loaded = True
        events = self._model.llama.generate(await prompt(self._model.llama), self._options.sampling)
        if self._streams:
            return _lines(self._stream(events))
        return _json(await _unless_gone(request, self._whole(events)))

    async def _stream(self, events: AsyncGenerator[Delta | Finished, None]) -> AsyncGenerator[Json, None]:
        """Yield a line for each part, and a last one with the statistics."""
        async with contextlib.aclosing(events):
            try:
                async for event in events:
                    match event:
                        case Delta(text):
                            yield self._line(text)
                        case Finished():
                            yield self._last_line("", event)
            except LlamaFailed as failure:
                log.warning("model_failed", error=str(failure))
                yield {"error": _RUNNER_ERROR + str(failure)}
        self._model.is_shown_as_loaded = not self._unloads

    async def _whole(self, events: AsyncGenerator[Delta | Finished, None]) -> Json:
        """Return the answer as one object."""
        pieces: list[str] = []
        async with contextlib.aclosing(events):
            async for event in events:
                match event:
                    case Delta(text):
                        pieces.append(text)
                    case Finished():
                        self._model.is_shown_as_loaded = not self._unloads
                        return self._last_line("".join(pieces), event)
        raise LlamaFailed("unexpected EOF")

    def _line(self, text: str) -> Json:
        """Return a line of the stream for a part of an answer."""
        return {"model": self._name, "created_at": _now(), **self._wrap(text), "done": False}

    def _last_line(self, text: str, finished: Finished) -> Json:
        """Return the line that ends an answer."""
        return self._line(text) | {
            "done": True,
            "done_reason": finished.reason,
            "total_duration": time.perf_counter_ns() - self._begin,
            "load_duration": self._load,
            "prompt_eval_count": finished.prompt_tokens,
            "prompt_eval_duration": finished.prompt_nanoseconds,
            "eval_count": finished.answer_tokens,
            "eval_duration": finished.answer_nanoseconds,
        }


async def _unless_gone(request: Request, work: Coroutine[Any, Any, Result]) -> Result:
    """Return the result of `work`; cancels it if the client disconnects."""
    working = asyncio.ensure_future(work)
    watching = asyncio.ensure_future(_hung_up(request))
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise BadRequest(499, "the client hung up")
        return working.result()
    finally:
        for task in (working, watching):
            task.cancel()
        await asyncio.gather(working, watching, return_exceptions=True)


async def _hung_up(request: Request) -> None:
    """Wait until the client disconnects."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _now() -> str:
    """Return the current time in Go's format, with nanoseconds."""
    nanoseconds = time.time_ns()
    seconds = datetime.fromtimestamp(nanoseconds // 10**9, UTC)
    return f"{seconds:%Y-%m-%dT%H:%M:%S}.{nanoseconds % 10**9:09d}Z"


def _encoded(value: Json) -> bytes:
    """Return compact JSON in UTF-8, as Ollama writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def _json(value: Json, status: int = 200) -> Response:
    """Return a JSON response."""
    return Response(_encoded(value), status, media_type="application/json; charset=utf-8")


def _lines(lines: AsyncIterator[Json]) -> Response:
    """Return a streamed response with one JSON object a line."""

    async def encoded() -> AsyncIterator[bytes]:
        async for line in lines:
            yield _encoded(line) + b"\n"

    return StreamingResponse(encoded(), media_type="application/x-ndjson")


async def _each(*lines: Json) -> AsyncIterator[Json]:
    """Yield the given lines."""
    for line in lines:
        yield line
