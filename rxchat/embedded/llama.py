"""Runs one model with llama.cpp in the process of the models, and calls it through llama.cpp's HTTP server.

The server is used instead of the callbacks of xllamacpp, because a closed connection frees a slot at once.
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

# Costs 5 % of the speed of prompt processing, and lets a disconnect take effect within half a second.
_BATCH_TOKENS = 64

Json = dict[str, Any]


class LlamaFailed(Exception):
    """llama.cpp refused a request or stopped in the middle of an answer; the message is llama.cpp's."""


@dataclass(frozen=True, slots=True)
class Delta:
    """The next part of generated text."""

    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The reason for the end of a generation, and its numbers of tokens and durations."""

    reason: str
    prompt_tokens: int
    answer_tokens: int
    prompt_nanoseconds: int
    answer_nanoseconds: int


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Vectors for texts, in their order, and the number of tokens read."""

    vectors: list[list[float]]
    tokens: int


class Llama:
    """One model, which is loaded at first use and stays in memory."""

    def __init__(self, path: Path, *, slots: int, slot_tokens: int, embeds: bool) -> None:
        """Configure the model; `load` loads it."""
        self.path = path
        self.slot_tokens = slot_tokens
        self.load_nanoseconds = 0
        self._slots = slots
        self._embeds = embeds
        self._loading = asyncio.Lock()
        # xllamacpp has no type annotations; tests of the protocol cover these calls.
        self._server: Any = None
        self._client: httpx.AsyncClient | None = None

    async def load(self) -> int:
        """Load the model if it is not loaded yet; return the nanoseconds that took (0 if it was loaded)."""
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
        """Start llama.cpp's server on a free port, protected by an API key."""
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
        # Errors and warnings only: at higher levels the log contains users' messages.
        params.verbosity = 2
        params.cache_ram_mib = 0
        params.cache_idle_slots = False
        if self._embeds:
            params.n_batch = params.n_ubatch = self.slot_tokens
            params.embedding = True
            params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
        else:
            # llama.cpp cancels requests and switches between slots only after a batch.
            params.n_batch = params.n_ubatch = _BATCH_TOKENS
        return xllamacpp.Server(params)

    async def tokens(self, text: str) -> list[int]:
        """Return the tokens of a text, without special tokens."""
        return (await self._post("/tokenize", {"content": text}))["tokens"]

    async def text(self, tokens: Sequence[int]) -> str:
        """Return the text of tokens."""
        return (await self._post("/detokenize", {"tokens": list(tokens)}))["content"]

    async def count(self, prompt: str) -> int:
        """Return the number of a prompt's tokens, special tokens included."""
        return len((await self._post("/tokenize", {"content": prompt, "parse_special": True}))["tokens"])

    async def prompt(self, messages: Sequence[Json]) -> str:
        """Apply the model's chat template to messages; a last message of the assistant is left open."""
        return (await self._post("/apply-template", {"messages": list(messages)}))["prompt"]

    async def embed(self, inputs: Sequence[Sequence[int]]) -> Embeddings:
        """Return a vector of length one for each tokenized input."""
        answer = await self._post("/v1/embeddings", {"input": [list(tokens) for tokens in inputs]})
        rows = sorted(answer["data"], key=lambda row: row["index"])
        return Embeddings([row["embedding"] for row in rows], sum(len(tokens) for tokens in inputs))

    async def marked(self, text: str) -> list[int]:
        """Return the tokens of a text, with the special tokens that an embedding model expects."""
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
        """Send a request and return its whole answer."""
        with _translated():
            response = await self._connected().post(path, json=body)
        if response.status_code != httpx.codes.OK:
            raise LlamaFailed(_message(response.content))
        return response.json()

    def _connected(self) -> httpx.AsyncClient:
        """Return the client of the loaded model."""
        if self._client is None:
            raise LlamaFailed("the model is not loaded")
        return self._client


def _finished(event: Json) -> Finished:
    """Return llama.cpp's last event, with Ollama's names and units."""
    timings = event.get("timings", {})
    return Finished(
        reason="length" if event.get("stop_type") == "limit" else "stop",
        prompt_tokens=event.get("tokens_evaluated", 0),
        answer_tokens=event.get("tokens_predicted", 0),
        prompt_nanoseconds=int(timings.get("prompt_ms", 0) * 1e6),
        answer_nanoseconds=int(timings.get("predicted_ms", 0) * 1e6),
    )


def _message(body: bytes) -> str:
    """Return the message of a llama.cpp error."""
    try:
        error = json.loads(body)
    except ValueError:
        return body.decode(errors="replace")
    error = error.get("error", error) if isinstance(error, dict) else error
    return str(error.get("message", error)) if isinstance(error, dict) else str(error)


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """Map failures of the connection to LlamaFailed."""
    try:
        yield
    except httpx.HTTPError as error:
        raise LlamaFailed(f"unexpected EOF ({type(error).__name__})") from error
