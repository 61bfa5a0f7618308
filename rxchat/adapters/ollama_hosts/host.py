"""One Ollama daemon: what it has, what it has loaded, and how it has answered lately."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import httpx
import ollama

from rxchat import observability
from rxchat.adapters import ollama_errors
from rxchat.adapters.breaker import Breaker
from rxchat.adapters.ollama_hosts.addresses import HostAddress, connector_to, transport_to
from rxchat.adapters.outgoing_proxies import is_on_this_network, proxy_for, without_credentials
from rxchat.domain.chat import ModelInfo
from rxchat.domain.errors import ModelError, ModelUnknown
from rxchat.domain.model_hosts import BreakerState, BreakerStatus, HostStatus, LoadedModel

CONNECT_SECONDS = 5.0
LIST_SECONDS = 10.0
LOOK_SECONDS = 2.0
SHOW_AGAIN_SECONDS = 30.0
"""How long a host is not asked for a model's context length again that did not answer it."""
CLOCK = time.monotonic
_DIGEST_CHARACTERS = 100
_REST_SECONDS, _LONGEST_REST = 10.0, 120.0
_FAILURES = 3
_FORGETS_SECONDS = 60.0
"""The time after which an observed latency counts a third."""
_SHORTEST_LATENCY = 0.05
"""Differences below it do not matter beside those of queues."""
_STATES = {BreakerState.CLOSED: 0, BreakerState.HALF_OPEN: 1, BreakerState.OPEN: 2}


@dataclass(frozen=True, slots=True)
class HostOptions:
    """What the hosts of a provider have in common."""

    headers: Mapping[str, str] = field(default_factory=dict)
    is_guarded: bool = False
    allows_remote: bool = True
    demo_hosts: frozenset[str] = frozenset()


class Latency:
    """The time to the first token: a moving average that follows increases at once, and forgets (Finagle's peak EWMA)."""

    def __init__(self) -> None:
        self._seconds: float | None = None
        self._at = 0.0

    def observe(self, seconds: float) -> None:
        """Note a time."""
        now = time.monotonic()
        known = self.seconds
        if known is None or seconds > known:
            self._seconds = seconds
        else:
            weight = max(0.2, 1 - math.exp((self._at - now) / _FORGETS_SECONDS))
            self._seconds = known + (seconds - known) * weight
        self._at = now

    @property
    def seconds(self) -> float | None:
        """The average; None before the first time. It decreases, so that a host that was slow is tried again some time."""
        if self._seconds is None:
            return None
        return self._seconds * math.exp((self._at - time.monotonic()) / _FORGETS_SECONDS)


class OllamaHost:
    """A daemon. It is asked for its state in the background; choosing it for an answer asks nothing."""

    def __init__(self, address: HostAddress, options: HostOptions) -> None:
        """Create its clients, which connect at their first calls."""
        self.address, self.name = address, address.name
        self.models: dict[str, ModelInfo] = {}
        self.problem: ModelError | None = None
        self.is_known = False
        self.in_flight = 0
        self.latency = Latency()
        self.waiting: Counter[str] = Counter()
        """The calls without a token so far, by model."""
        self._options = options
        self._loaded: dict[str, LoadedModel] | None = None
        self._looked_at = self._listed_at = float("-inf")
        self._answered_at: dict[str, float] = {}
        self._contexts: dict[str, tuple[float, int | None]] = {}
        """A model's context length (0: the daemon does not say it; None: it did not answer), and when it was asked."""
        self._breakers: dict[str, tuple[Breaker, ModelError]] = {}
        self._client = ollama.AsyncClient(
            host=without_credentials(address.url),
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
            auth=address.credentials,
            headers=dict(options.headers),
            # Ignores the rest of the environment (~/.netrc), and uses no proxy for a host of this network.
            trust_env=False,
            transport=transport_to(address, is_guarded=options.is_guarded),
            follow_redirects=not options.is_guarded,
        )
        self._session: aiohttp.ClientSession | None = None
        self._is_leaving = False

    @property
    def http(self) -> httpx.AsyncClient:
        """The official client's own one: its types drop fields that newer daemons return."""
        return self._client._client

    def stream(self) -> aiohttp.ClientSession:
        """Return the session that streams answers; created at first use, in the running event loop."""
        if self._session is None:
            # A proxy that compresses an answer buffers it until it has enough to compress.
            headers = dict(self._options.headers) | {"Accept-Encoding": "identity"}
            if credentials := self.address.credentials:
                headers["Authorization"] = aiohttp.encode_basic_auth(*credentials)
            self._session = aiohttp.ClientSession(
                base_url=f"{without_credentials(self.address.url).rstrip('/')}/",
                connector=connector_to(self.address, is_guarded=self._options.is_guarded),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
                headers=headers,
                cookie_jar=aiohttp.DummyCookieJar(),
                proxy=proxy_for(self.address.url),
            )
        return self._session

    async def list_models(self) -> list[ModelInfo]:
        """Return what it has now.

        Raises:
            ModelError: if it does not respond; it keeps the models that it had.
        """
        try:
            with ollama_errors.translated(self.name, ""):
                try:
                    async with asyncio.timeout(LIST_SECONDS):
                        response = await self.http.get("/api/tags")
                except TimeoutError as error:
                    raise ollama_errors.away(self.name, error) from error
                response.raise_for_status()
                rows = response.json().get("models") or []
                found = [self._info(row) for row in rows if isinstance(row, dict) and row.get("model")]
        except ModelError as error:
            self.note_health(error)
            raise
        self.note_health(None)
        self._listed_at = time.monotonic()
        self.models = {model.name: model for model in found}
        self._contexts = {name: known for name, known in self._contexts.items() if self.model_of(name)}
        for name in [name for name in self._breakers if not self.model_of(name)]:
            self._set_breaker(name, None)
        return found

    def note_health(self, problem: ModelError | None) -> None:
        """Note whether it responds."""
        if problem is None and self.problem is not None:
            # It is back: what failed because it was away is tried again.
            for breaker, _ in self._breakers.values():
                breaker.retry_now()
        self.problem, self.is_known = problem, self.is_known or problem is None
        observability.MODEL_HOST_UP.labels(self.name).set(problem is None)

    def _info(self, row: dict[str, Any]) -> ModelInfo:
        details = row.get("details") or {}
        remote = urlsplit(str(row.get("remote_host") or "")).hostname or str(row.get("remote_host") or "")
        hostname = urlsplit(self.address.url).hostname or ""
        is_near = not self._options.is_guarded or is_on_this_network(self.address.ip or hostname)
        return ModelInfo(
            name=str(row["model"]),
            host=self.name,
            size_bytes=int(row.get("size") or 0),
            parameters=str(details.get("parameter_size") or ""),
            context_tokens=int(details.get("context_length") or 0),
            capabilities=frozenset(map(str, row.get("capabilities") or ())),
            is_demo=without_credentials(self.address.url) in self._options.demo_hosts,
            remote_host=remote or ("" if is_near else hostname),
            digest=str(row.get("digest") or "")[:_DIGEST_CHARACTERS],
            is_allowed=self._options.allows_remote or not remote,
            family=str(details.get("family") or "")[:_DIGEST_CHARACTERS],
            quantization=str(details.get("quantization_level") or "")[:_DIGEST_CHARACTERS],
        )

    async def look(self) -> dict[str, LoadedModel] | None:
        """Ask which models are in memory (/api/ps); None if it does not answer."""
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                response = await self.http.get("/api/ps")
            rows = response.raise_for_status().json().get("models") or []
            loaded = {item.name: item for item in map(_loaded, rows)}
        except (TimeoutError, OSError, httpx.HTTPError, ValueError, TypeError, AttributeError, OverflowError):
            return None
        self._loaded, self._looked_at = loaded, time.monotonic()
        return loaded

    async def check(self, list_after: float) -> None:
        """Refresh what it has loaded and, if that is older than `list_after` seconds or it was away, what it has."""
        is_silent = await self.look() is None
        if is_silent or self.problem is not None or time.monotonic() - self._listed_at > list_after:
            with suppress(ModelError):
                await self.list_models()

    def model_of(self, name: str) -> ModelInfo | None:
        """Return one of its models; "llama3.2" is short for llama3.2:latest."""
        return self.models.get(name) or self.models.get(f"{name}:latest")

    def has_loaded(self, model: str) -> bool | None:
        """Return whether a model is in memory, as far as it is known; None if it is not."""
        if self._answered_at.get(model, float("-inf")) >= self._looked_at:
            return True
        return None if self._loaded is None else is_among(model, self._loaded)

    def has_looked_within(self, seconds: float) -> bool:
        """Whether what it has loaded was asked not longer ago."""
        return time.monotonic() - self._looked_at < seconds

    def note_answering(self, model: str) -> None:
        """Note that it sends an answer of a model, which it has therefore loaded."""
        self._answered_at[model] = time.monotonic()

    def note_unloaded(self, model: str) -> None:
        """Note that a model is in memory no more."""
        self._answered_at.pop(model, None)
        if self._loaded is not None:
            self._loaded.pop(model, None)

    def known_context(self, model: str) -> int | None:
        """Return a model's context length if the host has said it; 0 if it says none."""
        return self._contexts.get(model, (0.0, None))[1]

    async def context_of(self, model: str) -> int | None:
        """Return a model's context length, 0 if the daemon says none; None if it does not answer, for a while."""
        asked_at, known = self._contexts.get(model, (float("-inf"), None))
        if known is None and time.monotonic() - asked_at > SHOW_AGAIN_SECONDS:
            # Before the request, so that other questions do not wait for it as well.
            self._contexts[model] = time.monotonic(), None
            known = await self._shown_context(model)
            self._contexts[model] = time.monotonic(), known
        return known

    async def _shown_context(self, model: str) -> int | None:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                response = await self.http.post("/api/show", json={"model": model})
            facts = response.raise_for_status().json().get("model_info") or {}
            found = [int(value) for name, value in facts.items() if name.endswith(".context_length")]
        except (TimeoutError, OSError, httpx.HTTPError, ValueError, TypeError, AttributeError, OverflowError):
            return None
        return max(0, min(found, default=0))

    def wait_seconds(self) -> float:
        """Return how long an answer is expected to wait: by the answers in flight, and by the latest first tokens."""
        return (self.in_flight + 1) * max(_SHORTEST_LATENCY, self.latency.seconds or 0.0)

    def refusal(self, model: str) -> ModelError | None:
        """Return the last failure while the model's breaker is open; None if a call may be made."""
        breaker, error = self._breakers.get(model, (None, None))
        return None if breaker is None or breaker.would_admit else error

    def admits(self, model: str) -> bool:
        """Whether a call of a model may be made; while half-open, it is the trial."""
        breaker, _ = self._breakers.get(model, (None, None))
        is_admitted = breaker is None or breaker.admits()
        self._report(model)
        return is_admitted

    def succeeded(self, model: str) -> None:
        """Note that an answer of a model has begun."""
        self._set_breaker(model, None)

    def failed(self, model: str, error: ModelError) -> None:
        """Note that a call of a model failed before its first token."""
        if self.model_of(model) is None:
            # Names that the host never had are not counted: any user can invent some.
            return
        breaker = self._breakers.get(
            model, (Breaker(_REST_SECONDS, CLOCK, failures=_FAILURES, longest_rest=_LONGEST_REST),)
        )[0]
        # A host that lists a model and does not have it is wrong about it the next time, too.
        breaker.failed(at_once=isinstance(error, ModelUnknown))
        self._set_breaker(model, (breaker, error))

    def released(self, model: str) -> None:
        """Note that a call ended without showing whether the host works: its user stopped it, or it was refused."""
        breaker, _ = self._breakers.get(model, (None, None))
        if breaker is not None and breaker.state is BreakerState.HALF_OPEN:
            breaker.retry_now()

    def _set_breaker(self, model: str, breaker: tuple[Breaker, ModelError] | None) -> None:
        if breaker is None:
            if self._breakers.pop(model, None) is not None:
                observability.MODEL_BREAKERS.labels(self.name, model).set(_STATES[BreakerState.CLOSED])
        else:
            self._breakers[model] = breaker
            self._report(model)

    def _report(self, model: str) -> None:
        breaker, _ = self._breakers.get(model, (None, None))
        if breaker is not None:
            observability.MODEL_BREAKERS.labels(self.name, model).set(_STATES[breaker.state])

    def status(self) -> HostStatus:
        """Return what administrators see of it."""
        return HostStatus(
            name=self.name,
            problem=self.problem.detail or self.problem.message if self.problem else "",
            is_known=self.is_known,
            models=tuple(self.models.values()),
            loaded=tuple((self._loaded or {}).values()),
            in_flight=self.in_flight,
            first_token_seconds=self.latency.seconds,
            breakers=tuple(
                BreakerStatus(
                    model, breaker.state, breaker.failures, breaker.retry_seconds, error.detail or error.message
                )
                for model, (breaker, error) in self._breakers.items()
                if not breaker.is_closed
            ),
        )

    async def leave(self) -> None:
        """Close the connections as soon as its last answer has ended: it is in DNS no more."""
        self._is_leaving = True
        await self.close_if_left()

    async def close_if_left(self) -> None:
        """Close the connections of a host that has left and writes no answer."""
        if self._is_leaving and not self.in_flight:
            await self.aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        for gauge, labels in (
            (observability.MODEL_HOST_UP, ()),
            *((observability.MODEL_BREAKERS, (model,)) for model in self._breakers),
        ):
            with suppress(KeyError):
                gauge.remove(self.name, *labels)
        await self._client.close()
        if self._session is not None:
            await self._session.close()


def is_among(model: str, names: Mapping[str, Any]) -> bool:
    """Whether a model is one of these."""
    return model in names or f"{model}:latest" in names


def _loaded(row: dict[str, Any]) -> LoadedModel:
    until = str(row.get("expires_at") or "")
    expires_at = None
    with suppress(ValueError):
        expires_at = datetime.fromisoformat(until) if until else None
    return LoadedModel(
        name=str(row.get("model") or row.get("name")),
        size_bytes=max(0, int(row.get("size") or 0)),
        vram_bytes=max(0, int(row.get("size_vram") or 0)),
        expires_at=expires_at if expires_at is None or expires_at.tzinfo is not None else None,
    )
