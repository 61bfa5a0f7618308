"""Ollama as the ChatModel port, through its official client.

The behavior of the daemon was measured on version 0.32.15; its API is described at https://docs.ollama.com/api.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, suppress
from functools import partial

import structlog

from rxchat import observability
from rxchat.adapters import known_secrets, ollama_errors
from rxchat.adapters.model_errors import AWAY
from rxchat.adapters.ollama_hosts.discovery import SYSTEM_RESOLVER, Resolver
from rxchat.adapters.ollama_hosts.host import HostOptions, OllamaHost, is_among
from rxchat.adapters.ollama_hosts.pool import WATCH_SECONDS, Call, HostPool
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
from rxchat.adapters.outgoing_proxies import without_credentials
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
from rxchat.domain.model_hosts import HostStatus
from rxchat.domain.model_parameters import Effort, ParameterSupport

log = structlog.get_logger(__name__)

_CONTEXT_TOKENS = 8_192
_LOAD_SECONDS = 600.0
_LOOK_AGAIN_SECONDS = 1.0


class OllamaChatModel:
    """The models of one or several Ollama daemons, and the choice of a daemon for each answer."""

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
        resolver: Resolver = SYSTEM_RESOLVER,
        watch_seconds: float = WATCH_SECONDS,
    ) -> None:
        """Take the hosts' addresses, which are resolved at the first call; if `is_guarded`, only addresses of servers."""
        self._headers = dict(headers or {})
        known_secrets.remember(self._headers.values())
        options = HostOptions(self._headers, is_guarded, allows_remote, frozenset(map(without_credentials, demo_hosts)))
        self._pool = HostPool(hosts, options, resolver, watch_seconds=watch_seconds)
        self._is_guarded = is_guarded
        self._first_token_seconds = first_token_seconds
        self._token_seconds = token_seconds
        self._context_tokens = context_tokens
        self._load_seconds = load_seconds
        self._allows_remote = allows_remote
        self._heard_at: dict[str, float] = {}
        self._heard_elsewhere_at: dict[str, float] = {}

    async def models(self) -> list[ModelInfo]:
        """Return the models of all hosts; a model that several hosts have is returned once.

        Raises:
            ModelHostUnavailable: if no host answers.
        """
        return await self._pool.list_models()

    async def has(self, model: str) -> bool:
        """Return whether a host has a model; if none is known to, the hosts are asked.

        Raises:
            ModelHostUnavailable: if no host answers, and none is known to have it.
        """
        return not self._pool.is_empty and bool(await self._pool.having(model))

    async def chat(
        self,
        model: str,
        messages: Sequence[ChatMessage] | PreparedPrompt,
        tools: Sequence[ToolSpec] = (),
        options: ChatOptions = NO_OPTIONS,
    ) -> AsyncGenerator[ChatEvent]:
        """Yield the events of an answer; see the ChatModel port.

        A host that fails before the first token is replaced by another one that has the model; after it, never.

        Raises:
            ModelError: each failure as the subclass that says what it was.
        """
        hosts = await self._hosts_for(model)
        digest = messages.digest if isinstance(messages, PreparedPrompt) else ""
        tried: list[OllamaHost] = []
        failure: ModelError | None = None
        while (host := self._pool.choose(hosts, model, tried, digest)) is not None:
            tried.append(host)
            if failure is not None:
                observability.MODEL_RETRIES.labels(model).inc()
                log.info("another model host is asked", host=ollama_errors.short(host.name), model=model)
            has_begun = False
            try:
                async with aclosing(self._chat_at(host, model, messages, tools, options)) as events:
                    async for event in events:
                        has_begun = True
                        yield event
                return
            except ModelRefused:
                raise
            except ModelError as error:
                if has_begun:
                    raise
                failure = error
        if failure is None:
            # All breakers are open: the last failure, without waiting for the next one.
            refusals = [refusal for host in hosts if (refusal := host.refusal(model)) is not None]
            known = refusals[0] if refusals else ModelHostUnavailable(AWAY)
            failure = type(known)(known.message, detail=f"{known.detail} (It is not asked again for some seconds.)")
        raise failure

    async def _chat_at(
        self,
        host: OllamaHost,
        model: str,
        messages: Sequence[ChatMessage] | PreparedPrompt,
        tools: Sequence[ToolSpec],
        options: ChatOptions,
    ) -> AsyncGenerator[ChatEvent]:
        async with self._pool.calling(host, model) as call:
            prepared = await self._prepared(host, model, messages, options)
            asked = [message_body(message) for message in prepared.messages]
            offered = [tool_body(tool) for tool in tools]
            log.info(
                "model call",
                host=ollama_errors.short(host.name),
                model=model,
                messages=len(asked),
                tools=len(offered),
            )
            begun: list[bool] = []
            with ollama_errors.translated(host.name, model, begun):
                body = {"model": model, "messages": asked} | option_bodies(model, options, prepared.context_tokens)
                body |= {"tools": offered} if offered else {}
                patience = self._patience(call)
                events = chat_events(host.stream(), body, patience, follows_redirects=not self._is_guarded)
                try:
                    async with aclosing(events):
                        async for event in events:
                            begun[:] = [True]
                            call.heard()
                            self._heard_at[host.name] = time.monotonic()
                            yield event
                            if isinstance(event, AnswerFinished):
                                return
                except Silent as error:
                    raise ModelTimeout(
                        f"{model} did not respond for {error.seconds:g} seconds. It may be overloaded or too large for its host. Try again, or choose a smaller model.",
                        detail=f"Its host is {host.name}.",
                    ) from error
                except LineTooLong as error:
                    raise ollama_errors.line_too_long(host.name, MEGABYTES) from error
                raise ollama_errors.stopped(host.name)

    async def _hosts_for(self, model: str) -> list[OllamaHost]:
        """Return the hosts that have a model; if none has it, the first one, which says so.

        Raises:
            ModelRefused: when it runs outside of this network, and that is not allowed.
            ModelHostUnavailable: when there is no host.
        """
        if self._pool.is_empty:
            raise ModelHostUnavailable("No model host is configured. Set OLLAMA_HOSTS and start RxChat again.")
        having = await self._pool.having(model)
        allowed = [host for host in having if (info := host.model_of(model)) is not None and info.is_allowed]
        if having and not allowed:
            info = having[0].model_of(model)
            raise ModelRefused(
                f"{model} runs on a service outside of this network, which is not allowed. Choose another model.",
                detail=f"It runs at {info.remote_host if info else 'another host'}; RXCHAT_REMOTE_MODELS=true allows it.",
            )
        return allowed or self._pool.hosts[:1]

    async def _context_of(self, host: OllamaHost, model: str, wanted: int | None = None) -> int:
        """Return the context length to request: the wanted one, or the configured one, at most the model's own.

        Raises:
            ModelRefused: when more is wanted than the model has.
        """
        known = host.known_context(model)
        if known is None:
            known = await host.context_of(model)
        if known is None:
            # Unknown: what is wanted may be more than the model has, and take the memory of others.
            return min(wanted or self._context_tokens, self._context_tokens)
        if wanted is not None and known and wanted > known:
            raise ModelRefused(
                f"{model} reads at most {known:,} tokens at once, and the parameter “Context” asks for {wanted:,}. Lower it."
            )
        return wanted or min(self._context_tokens, known or self._context_tokens)

    async def parameters(self, model: str) -> ParameterSupport:
        """Return which options Ollama takes; see the ChatModel port."""
        having: list[OllamaHost] = []
        with suppress(ModelError):
            having = await self._pool.having(model)
        infos = [info for host in having if (info := host.model_of(model)) is not None]
        # A daemon too old to report capabilities says itself what it does not take.
        capabilities = (infos[0].capabilities if infos else None) or {"thinking"}
        names, most = frozenset(ChatOptions.__dataclass_fields__), self._context_tokens
        if "thinking" not in capabilities:
            return ParameterSupport(names - {"reasoning_effort"}, most_context=most)
        if has_efforts(model):
            # It always reasons.
            return ParameterSupport(
                names,
                frozenset(Effort) - {Effort.NONE},
                reason=f"{model} cannot answer without reasoning.",
                most_context=most,
            )
        reason = f"{model} reasons or does not, without levels between."
        return ParameterSupport(names, frozenset({Effort.NONE, Effort.MEDIUM}), reason=reason, most_context=most)

    async def prepare(
        self, model: str, messages: Sequence[ChatMessage], options: ChatOptions = NO_OPTIONS
    ) -> PreparedPrompt:
        """Return the messages that fit into the context that is requested; see the ChatModel port."""
        hosts = await self._hosts_for(model)
        return await self._prepared(self._pool.ranked(hosts, model)[0], model, messages, options)

    async def _prepared(
        self, host: OllamaHost, model: str, messages: Sequence[ChatMessage] | PreparedPrompt, options: ChatOptions
    ) -> PreparedPrompt:
        if isinstance(messages, PreparedPrompt):
            return messages
        context, info = await self._context_of(host, model, options.num_ctx), host.model_of(model)
        return PreparedPrompt(fitted(model, messages, context), context, info.digest if info else "")

    async def is_loading(self, model: str) -> bool:
        """Return whether the hosts that are to answer still have to load the model; False if that is unknown."""
        having = [host for host in self._pool.hosts if host.model_of(model)]
        # Those of another process are not known here: any of the hosts may be the one that was asked.
        asked = [host for host in having if host.waiting[model]] or having
        for host in asked:
            if not host.has_looked_within(_LOOK_AGAIN_SECONDS):
                await host.look()
        return bool(asked) and all(host.has_loaded(model) is False for host in asked)

    def _patience(self, call: Call) -> Patience:
        """Return the timeouts of an answer: longer during loading, which a disconnect would start again."""
        host, model = call.host, call.model

        async def is_still_loading() -> bool:
            # While a model loads, some daemons list it and some do not; only one that does not answer is given up.
            loaded = await host.look()
            return loaded is not None and (call.was_loaded is False or not is_among(model, loaded))

        return Patience(
            self._first_token_seconds,
            self._token_seconds,
            self._load_seconds,
            is_still_loading,
            partial(self._last_heard_at, host.name),
        )

    def _last_heard_at(self, host: str) -> float:
        return max(heard.get(host, float("-inf")) for heard in (self._heard_at, self._heard_elsewhere_at))

    def hosts_heard_since(self, moment: float) -> list[str]:
        """Return the hosts that sent this process a part of an answer after `moment` (time.monotonic)."""
        return [host for host, heard_at in self._heard_at.items() if heard_at > moment]

    def note_heard(self, host: str) -> None:
        """Record that a host is sending an answer to another process."""
        if self._pool.find(host) is not None:
            self._heard_elsewhere_at[host] = time.monotonic()

    def host_status(self) -> list[HostStatus]:
        """Return what is known of each host; see the ChatModel port."""
        return [host.status() for host in self._pool.hosts]

    async def check_hosts(self) -> None:
        """Ask all hosts what they have and have loaded; see the ModelHosts port."""
        with suppress(ModelError):
            await self._pool.list_models()

    def host(self, name: str) -> OllamaHost | None:
        """Return one of the hosts, to manage its models."""
        return self._pool.find(name)

    @property
    def load_seconds(self) -> float:
        """How long loading a model may take."""
        return self._load_seconds

    async def aclose(self) -> None:
        """Close the connections to all hosts."""
        await self._pool.aclose()
        known_secrets.forget(self._headers.values())
