"""llama.cpp inside the models process: one loaded model, spoken to through the HTTP server that it brings along.

Its own server is used, not the callbacks of xllamacpp, because closing a connection is what frees a slot at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import os
import secrets
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from rxchat.embedded import loopback

# Generation may pause while the other slot reads a long prompt.
_TIMEOUT = httpx.Timeout(10, read=600)

# Costs a twentieth of the reading speed, and makes hanging up work within half a second.
_BATCH_TOKENS = 64

Json = dict[str, Any]


class LlamaFailed(Exception):
    """llama.cpp refused a request or broke off in the middle of an answer; the message is in its words."""


@dataclass(frozen=True, slots=True)
class Delta:
    """The next piece of generated text."""

    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """Why a generation ended, and what it took."""

    reason: str
    prompt_tokens: int
    answer_tokens: int
    prompt_nanoseconds: int
    answer_nanoseconds: int


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Vectors for texts, in their order, and how many tokens were read."""

    vectors: list[list[float]]
    tokens: int


class Llama:
    """One model; loaded when it is first needed, and kept."""

    def __init__(self, path: Path, *, slots: int, slot_tokens: int, embeds: bool) -> None:
        """Note what to load; nothing happens before `load`."""
        self.path = path
        self.slot_tokens = slot_tokens
        self.load_nanoseconds = 0
        self._slots = slots
        self._embeds = embeds
        self._loading = asyncio.Lock()
        # xllamacpp has no types; what is called here is covered by tests of the protocol.
        self._server: Any = None
        self._client: httpx.AsyncClient | None = None

    async def load(self) -> int:
        """Load the model if it is not loaded yet; says how many nanoseconds that took (0 when it was)."""
        async with self._loading:
            if self._client is not None:
                return 0
            begin = time.perf_counter_ns()
            key = secrets.token_urlsafe(24)
            self._server = await asyncio.to_thread(self._start, key)
            self._client = loopback.client(
                base_url=self._server.listening_address,
                headers={"Authorization": f"Bearer {key}"},
                timeout=_TIMEOUT,
                limits=httpx.Limits(max_connections=None),
            )
            self.load_nanoseconds = time.perf_counter_ns() - begin
            return self.load_nanoseconds

    def _start(self, key: str) -> Any:
        """Start llama.cpp's server on a port of its own choice, closed to others by a key."""
        xllamacpp: Any = importlib.import_module("xllamacpp")
        threads = max(1, (os.cpu_count() or 1) - 1)
        params = xllamacpp.CommonParams()
        params.model.path = str(self.path)
        params.n_ctx = self._slots * self.slot_tokens
        params.n_parallel = self._slots
        params.cpuparams.n_threads = threads
        params.cpuparams_batch.n_threads = threads
        params.api_keys = [key]
        params.ui = False
        params.endpoint_slots = False
        # Errors and warnings only: at higher levels the log would show what users write.
        params.verbosity = 2
        params.cache_ram_mib = 0
        params.cache_idle_slots = False
        if self._embeds:
            params.n_batch = params.n_ubatch = self.slot_tokens
            params.embedding = True
            params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
        else:
            # A request is given up, and the other slot gets its turn, between two batches only.
            params.n_batch = params.n_ubatch = _BATCH_TOKENS
        return xllamacpp.Server(params)

    async def tokens(self, text: str) -> list[int]:
        """The text as token numbers, without the marks around it."""
        return (await self._post("/tokenize", {"content": text}))["tokens"]

    async def text(self, tokens: Sequence[int]) -> str:
        """Token numbers as text."""
        return (await self._post("/detokenize", {"tokens": list(tokens)}))["content"]

    async def count(self, prompt: str) -> int:
        """How many tokens a whole prompt has, its marks included."""
        return len((await self._post("/tokenize", {"content": prompt, "parse_special": True}))["tokens"])

    async def prompt(self, messages: Sequence[Json]) -> str:
        """The prompt that the model's template makes of messages; a last one of the assistant is left open."""
        return (await self._post("/apply-template", {"messages": list(messages)}))["prompt"]

    async def embed(self, inputs: Sequence[Sequence[int]]) -> Embeddings:
        """A vector of length one for each tokenised input."""
        answer = await self._post("/v1/embeddings", {"input": [list(tokens) for tokens in inputs]})
        rows = sorted(answer["data"], key=lambda row: row["index"])
        return Embeddings([row["embedding"] for row in rows], sum(len(tokens) for tokens in inputs))

    async def marked(self, text: str) -> list[int]:
        """The text as token numbers within the marks that an embedder expects."""
        return (await self._post("/tokenize", {"content": text, "add_special": True}))["tokens"]

    async def generate(self, prompt: str, options: Json) -> AsyncGenerator[Delta | Finished, None]:
        """Continue a prompt; closing this generator stops llama.cpp and frees the slot."""
        body = {**options, "prompt": prompt, "stream": True, "cache_prompt": True}
        with _translated():
            async with self._connected().stream("POST", "/completion", json=body) as response:
                if response.status_code != httpx.codes.OK:
                    raise LlamaFailed(_message(await response.aread()))
                async for line in response.aiter_lines():
                    if not line.startswith(("data:", "error:")):
                        continue
                    event = json.loads(line.partition(":")[2])
                    if "error" in event or line.startswith("error:"):
                        raise LlamaFailed(_message(line.partition(":")[2].encode()))
                    if event.get("content"):
                        yield Delta(event["content"])
                    if event.get("stop"):
                        yield _finished(event)
                        return
        raise LlamaFailed("unexpected EOF")

    async def _post(self, path: str, body: Json) -> Json:
        """One request that is answered whole."""
        with _translated():
            response = await self._connected().post(path, json=body)
        if response.status_code != httpx.codes.OK:
            raise LlamaFailed(_message(response.content))
        return response.json()

    def _connected(self) -> httpx.AsyncClient:
        """The client of the loaded model."""
        if self._client is None:
            raise LlamaFailed("the model is not loaded")
        return self._client


def _finished(event: Json) -> Finished:
    """What llama.cpp's last event says, in Ollama's words and units."""
    timings = event.get("timings", {})
    return Finished(
        reason="length" if event.get("stop_type") == "limit" else "stop",
        prompt_tokens=event.get("tokens_evaluated", 0),
        answer_tokens=event.get("tokens_predicted", 0),
        prompt_nanoseconds=int(timings.get("prompt_ms", 0) * 1e6),
        answer_nanoseconds=int(timings.get("predicted_ms", 0) * 1e6),
    )


def _message(body: bytes) -> str:
    """The sentence in one of llama.cpp's errors."""
    try:
        error = json.loads(body)
    except ValueError:
        return body.decode(errors="replace")
    error = error.get("error", error) if isinstance(error, dict) else error
    return str(error.get("message", error)) if isinstance(error, dict) else str(error)


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """Turn failures of the connection into LlamaFailed."""
    try:
        yield
    except httpx.HTTPError as error:
        raise LlamaFailed(f"unexpected EOF ({type(error).__name__})") from error
