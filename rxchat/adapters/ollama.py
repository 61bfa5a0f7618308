"""Ollama as the ChatModel port, through its official client.

The behavior of the daemon was measured on version 0.32.15; its API is described at https://docs.ollama.com/api.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, suppress
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit

import aiohttp
import httpx
import ollama
import structlog

from rxchat.adapters import known_secrets, ollama_errors
from rxchat.adapters.guarded_addresses import GuardedConnector, GuardedTransport
from rxchat.adapters.ollama_stream import (
    MEGABYTES,
    LineTooLong,
    Patience,
    Silent,
    chat_events,
    has_efforts,
    message_body,
    option_bodies,
    tool_body,
)
from rxchat.adapters.outgoing_proxies import is_on_this_network, proxy_for, without_credentials
from rxchat.adapters.tls import trusted
from rxchat.domain.chat import (
    NO_OPTIONS,
    AnswerFinished,
    ChatEvent,
    ChatMessage,
    ChatOptions,
    ModelInfo,
    PreparedPrompt,
    ToolSpec,
)
from rxchat.domain.context_window import fitted
from rxchat.domain.errors import ModelError, ModelHostUnavailable, ModelRefused, ModelTimeout
from rxchat.domain.model_parameters import Effort, ParameterSupport

log = structlog.get_logger(__name__)

_CONNECT_SECONDS = 5.0
_LIST_SECONDS = 10.0
_LOOK_SECONDS = 2.0
_STAYS_LOADED_SECONDS = 120.0
"""Ollama unloads a model after five minutes without a request, so one that answered recently is loaded."""
_CONTEXT_TOKENS = 8_192
_LOAD_SECONDS = 600.0
_DIGEST_CHARACTERS = 100


class OllamaChatModel:
    """The models of one or several Ollama daemons; requests for a model go to the first host that has it."""

    def __init__(
        self,
        hosts: Sequence[str],
        *,
        first_token_seconds: float = 120.0,
        token_seconds: float = 60.0,
        demo_hosts: Sequence[str] = (),
        context_tokens: int = _CONTEXT_TOKENS,
        load_seconds: float = _LOAD_SECONDS,
        allows_remote: bool = True,
        headers: Mapping[str, str] | None = None,
        is_guarded: bool = False,
    ) -> None:
        """Create a client for each host, which connects at its first call; if `is_guarded`, only to addresses of servers."""
        # Keyed by the address without credentials, since users see it.
        self._clients = {
            without_credentials(host): _client(host, headers or {}, is_guarded=is_guarded) for host in hosts
        }
        self._credentials = {without_credentials(host): _credentials(host) for host in hosts}
        self._streams: dict[str, aiohttp.ClientSession] = {}
        self._headers = dict(headers or {})
        known_secrets.remember(self._headers.values())
        self._is_guarded = is_guarded
        self._first_token_seconds = first_token_seconds
        self._token_seconds = token_seconds
        self._demo_hosts = frozenset(map(without_credentials, demo_hosts))
        self._context_tokens = context_tokens
        self._load_seconds = load_seconds
        self._allows_remote = allows_remote
        self._host_of: dict[str, str] = {}
        self._remote: dict[str, str] = {}
        """The remote host of each model that a daemon only forwards to and that is not allowed, by the model's name."""
        self._contexts: dict[tuple[str, str], int] = {}
        """A model's context length, by host and name; 0 if the daemon does not return it."""
        self._digests: dict[str, str] = {}
        self._capabilities: dict[str, frozenset[str]] = {}
        self._answered_at: dict[tuple[str, str], float] = {}
        self._heard_at: dict[str, float] = {}
        self._heard_elsewhere_at: dict[str, float] = {}

    async def models(self) -> list[ModelInfo]:
        """Return the models of all hosts; a model that several hosts have is returned once.

        Raises:
            ModelHostUnavailable: if no host answers.
        """
        answers = await asyncio.gather(*(self._models_at(host) for host in self._clients), return_exceptions=True)
        offered: dict[str, ModelInfo] = {}
        failures: list[ModelError] = []
        for answer in answers:
            if isinstance(answer, ModelError):
                failures.append(answer)
            elif isinstance(answer, BaseException):
                raise answer
            else:
                for model in answer:
                    offered.setdefault(model.name, model)
        if failures and len(failures) == len(answers):
            raise failures[0]
        self._host_of = {model.name: model.host for model in offered.values()}
        self._capabilities = {model.name: model.capabilities for model in offered.values()}
        self._digests = {model.name: model.digest for model in offered.values()}
        self._remote = {model.name: model.remote_host for model in offered.values() if not model.is_allowed}
        return list(offered.values())

    async def _models_at(self, host: str) -> list[ModelInfo]:
        with ollama_errors.translated(host, ""):
            try:
                async with asyncio.timeout(_LIST_SECONDS):
                    # Not the client's list(): its types drop `capabilities`, which newer daemons return.
                    response = await self._clients[host]._client.get("/api/tags")
            except TimeoutError as error:
                raise ollama_errors.away(host, error) from error
            response.raise_for_status()
            rows = response.json().get("models") or []
            return [self._info(host, row) for row in rows if isinstance(row, dict) and row.get("model")]

    def _info(self, host: str, row: dict[str, Any]) -> ModelInfo:
        details = row.get("details") or {}
        remote = urlsplit(str(row.get("remote_host") or "")).hostname or str(row.get("remote_host") or "")
        hostname = urlsplit(host).hostname or ""
        return ModelInfo(
            name=str(row["model"]),
            host=host,
            size_bytes=int(row.get("size") or 0),
            parameters=str(details.get("parameter_size") or ""),
            context_tokens=int(details.get("context_length") or 0),
            capabilities=frozenset(map(str, row.get("capabilities") or ())),
            is_demo=host in self._demo_hosts,
            remote_host=remote or ("" if not self._is_guarded or is_on_this_network(hostname) else hostname),
            digest=str(row.get("digest") or "")[:_DIGEST_CHARACTERS],
            is_allowed=self._allows_remote or not remote,
        )

    async def chat(
        self,
        model: str,
        messages: Sequence[ChatMessage] | PreparedPrompt,
        tools: Sequence[ToolSpec] = (),
        options: ChatOptions = NO_OPTIONS,
    ) -> AsyncGenerator[ChatEvent]:
        """Yield the events of an answer; see the ChatModel port.

        Raises:
            ModelError: each failure as the subclass that says what it was.
        """
        host = await self._host_for(model)
        if model in self._remote and not self._allows_remote:
            raise ModelRefused(
                f"{model} runs on a service outside of this network, which is not allowed. Choose another model.",
                detail=f"It runs at {self._remote[model]}; RXCHAT_REMOTE_MODELS=true allows it.",
            )
        prepared, patience = await asyncio.gather(
            self._prepared(host, model, messages, options), self._patience(host, model)
        )
        asked = [message_body(message) for message in prepared.messages]
        offered = [tool_body(tool) for tool in tools]
        log.info("model call", host=ollama_errors.short(host), model=model, messages=len(asked), tools=len(offered))
        begun: list[bool] = []
        with ollama_errors.translated(host, model, begun):
            body = {"model": model, "messages": asked} | option_bodies(model, options, prepared.context_tokens)
            body |= {"tools": offered} if offered else {}
            events = chat_events(self._stream(host), body, patience, follows_redirects=not self._is_guarded)
            try:
                async with aclosing(events):
                    async for event in events:
                        begun[:] = [True]
                        self._answered_at[host, model] = self._heard_at[host] = time.monotonic()
                        yield event
                        if isinstance(event, AnswerFinished):
                            return
            except Silent as error:
                raise ModelTimeout(
                    f"{model} did not respond for {error.seconds:g} seconds. It may be overloaded or too large for its host. Try again, or choose a smaller model.",
                    detail=f"Its host is {host}.",
                ) from error
            except LineTooLong as error:
                raise ollama_errors.line_too_long(host, MEGABYTES) from error
            raise ollama_errors.stopped(host)

    async def _context_of(self, host: str, model: str, wanted: int | None = None) -> int:
        """Return the context length to request: the wanted one, or the configured one, at most the model's own.

        Raises:
            ModelRefused: when more is wanted than the model has.
        """
        known = self._contexts.get((host, model))
        if known is None and (known := await self._made_for(host, model)) is not None:
            self._contexts[host, model] = known
        if wanted is not None and known and wanted > known:
            raise ModelRefused(
                f"{model} reads at most {known:,} tokens at once, and the parameter “Context” asks for {wanted:,}. Lower it."
            )
        return wanted or min(self._context_tokens, known or self._context_tokens)

    async def _made_for(self, host: str, model: str) -> int | None:
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                response = await self._clients[host]._client.post("/api/show", json={"model": model})
            facts = response.json().get("model_info") or {}
            found = [int(value) for name, value in facts.items() if name.endswith(".context_length")]
        except (TimeoutError, OSError, httpx.HTTPError, ValueError, TypeError, AttributeError):
            return None
        return max(0, min(found, default=0))

    async def parameters(self, model: str) -> ParameterSupport:
        """Return which options Ollama takes; see the ChatModel port."""
        if model not in self._capabilities:
            with suppress(ModelError):
                await self.models()
        # A daemon too old to report capabilities says itself what it does not take.
        capabilities = self._capabilities.get(model) or {"thinking"}
        names = frozenset(ChatOptions.__dataclass_fields__)
        if "thinking" not in capabilities:
            return ParameterSupport(names - {"reasoning_effort"})
        if has_efforts(model):
            # It always reasons.
            return ParameterSupport(
                names, frozenset(Effort) - {Effort.NONE}, reason=f"{model} cannot answer without reasoning."
            )
        reason = f"{model} reasons or does not, without levels between."
        return ParameterSupport(names, frozenset({Effort.NONE, Effort.MEDIUM}), reason=reason)

    async def prepare(
        self, model: str, messages: Sequence[ChatMessage], options: ChatOptions = NO_OPTIONS
    ) -> PreparedPrompt:
        """Return the messages that fit into the context that is requested; see the ChatModel port."""
        return await self._prepared(await self._host_for(model), model, messages, options)

    async def _prepared(
        self, host: str, model: str, messages: Sequence[ChatMessage] | PreparedPrompt, options: ChatOptions
    ) -> PreparedPrompt:
        if isinstance(messages, PreparedPrompt):
            return messages
        context = await self._context_of(host, model, options.num_ctx)
        return PreparedPrompt(fitted(model, messages, context), context, self._digests.get(model, ""))

    async def is_loading(self, model: str) -> bool:
        """Return whether the model is not in its host's memory yet; False if the host does not answer."""
        host = self._host_of.get(model)
        return host is not None and await self._is_loaded(host, model) is False

    async def _is_loaded(self, host: str, model: str) -> bool | None:
        """Return whether a host has a model in memory (/api/ps); None if it does not answer."""
        if time.monotonic() - self._answered_at.get((host, model), float("-inf")) < _STAYS_LOADED_SECONDS:
            return True
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                response = await self._clients[host]._client.get("/api/ps")
            rows = response.raise_for_status().json().get("models") or []
            names = {str(row.get("model") or row.get("name")) for row in rows}
        except (TimeoutError, OSError, httpx.HTTPError, ValueError, TypeError, AttributeError):
            return None
        return model in names or f"{model}:latest" in names

    async def _patience(self, host: str, model: str) -> Patience:
        """Return the timeouts of an answer: longer during loading, which a disconnect would start again."""
        is_loading = await self._is_loaded(host, model) is False

        async def is_still_loading() -> bool:
            # While a model loads, some daemons list it and some do not; only one that does not answer is given up.
            return is_loading and await self._is_loaded(host, model) is not None

        return Patience(
            self._first_token_seconds,
            self._token_seconds,
            self._load_seconds,
            is_still_loading,
            partial(self._last_heard_at, host),
        )

    def _last_heard_at(self, host: str) -> float:
        return max(heard.get(host, float("-inf")) for heard in (self._heard_at, self._heard_elsewhere_at))

    def hosts_heard_since(self, moment: float) -> list[str]:
        """Return the hosts that sent this process a part of an answer after `moment` (time.monotonic)."""
        return [host for host, heard_at in self._heard_at.items() if heard_at > moment]

    def note_heard(self, host: str) -> None:
        """Record that a host is sending an answer to another process."""
        if host in self._clients:
            self._heard_elsewhere_at[host] = time.monotonic()

    def _stream(self, host: str) -> aiohttp.ClientSession:
        """Return the session that streams a host's answers; created at first use, in the running event loop."""
        if host not in self._streams:
            proxy = proxy_for(host)
            # A proxy that compresses an answer buffers it until it has enough to compress.
            headers = self._headers | {"Accept-Encoding": "identity"}
            if credentials := self._credentials[host]:
                headers["Authorization"] = aiohttp.encode_basic_auth(*credentials)
            self._streams[host] = aiohttp.ClientSession(
                base_url=f"{host.rstrip('/')}/",
                # Callers limit the number of simultaneous answers and set their timeouts. Each answer has a new connection:
                # one from a pool may be dead, and a question is not sent twice.
                connector=(GuardedConnector if self._is_guarded and proxy is None else aiohttp.TCPConnector)(
                    limit=0, force_close=True
                ),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS),
                headers=headers,
                cookie_jar=aiohttp.DummyCookieJar(),
                proxy=proxy,
            )
        return self._streams[host]

    async def _host_for(self, model: str) -> str:
        if not self._clients:
            raise ModelHostUnavailable("No model host is configured. Set OLLAMA_HOSTS and start RxChat again.")
        if model not in self._host_of:
            await self.models()
        return self._host_of.get(model, next(iter(self._clients)))

    async def aclose(self) -> None:
        """Close the connections to all hosts."""
        for client in (*self._clients.values(), *self._streams.values()):
            await client.close()
        known_secrets.forget(self._headers.values())


def _client(host: str, headers: Mapping[str, str], *, is_guarded: bool) -> ollama.AsyncClient:
    proxy = proxy_for(host)
    transport: httpx.AsyncBaseTransport = httpx.AsyncHTTPTransport(verify=trusted(), proxy=proxy)
    if is_guarded:
        transport = GuardedTransport(transport, resolves=proxy is None)
    # Ignores the rest of the environment (~/.netrc), and uses no proxy for a host of this network.
    return ollama.AsyncClient(
        host=without_credentials(host),
        timeout=httpx.Timeout(None, connect=_CONNECT_SECONDS),
        auth=_credentials(host),
        headers=dict(headers),
        trust_env=False,
        transport=transport,
        follow_redirects=not is_guarded,
    )


def _credentials(host: str) -> tuple[str, str] | None:
    address = urlsplit(host)
    return (unquote(address.username), unquote(address.password or "")) if address.username else None
