"""Several providers as one ChatModel: the models of Ollama under their own names, those of others as `provider/name`."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, replace

from rxchat.adapters.ollama import OllamaChatModel
from rxchat.adapters.ollama_hosts import management
from rxchat.adapters.ollama_hosts.host import OllamaHost
from rxchat.domain.chat import NO_OPTIONS, ChatEvent, ChatMessage, ChatOptions, ModelInfo, PreparedPrompt, ToolSpec
from rxchat.domain.errors import ModelError, ModelHostUnavailable, ModelUnknown, NotFound
from rxchat.domain.model_hosts import HostStatus, ModelDetails, PullProgress
from rxchat.domain.model_parameters import ParameterSupport
from rxchat.domain.ports import ChatModel

_POSSIBLE_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,29}")
_DISABLED = "{model} cannot answer: its provider “{provider}” is disabled. Choose another model, or ask an administrator to enable it."
_GONE = (
    "{model} is no longer offered: there is no provider “{provider}”, and no model host has a model of this name. Choose another"
    " model."
)
_FRESH_SECONDS = 60.0
_AWAY_SECONDS = 10.0
"""How long the list of a provider is used again, and how long one that did not respond is left alone."""


@dataclass(frozen=True, slots=True)
class _Offer:
    """What a provider offered last, and why it does not respond now."""

    models: Sequence[ModelInfo] = ()
    failure: ModelError | None = None
    asked_at: float = float("-inf")


class ModelProviders:
    """The models of Ollama, and of other providers by their names.

    Administrators change the others while answers are running: a client that is replaced is closed when its last call ends.
    """

    def __init__(self, ollama: OllamaChatModel, others: Mapping[str, ChatModel]) -> None:
        """Begin with the providers of the settings, which stay."""
        self._ollama = ollama
        self._configured = dict(others)
        self._others = dict(others)
        self._reserved: frozenset[str] = frozenset()
        """The names of providers that exist and are not offered."""
        self._offers: dict[str, _Offer] = {}
        self._calls: Counter[int] = Counter()
        """How many calls each client serves now, by its identity."""
        self._leaving: dict[int, ChatModel] = {}

    async def replace(self, others: Mapping[str, ChatModel], reserved: Collection[str] = ()) -> None:
        """Offer these providers from now on, beside those of the settings, whose names they cannot take.

        Models of `reserved` names are not asked for elsewhere: a provider that is disabled has this name.
        """
        self._reserved = frozenset(reserved) - self._configured.keys()
        before, self._others = self._others, {**others, **self._configured}
        kept = {id(client) for client in self._others.values()}
        for name, client in before.items():
            if self._others.get(name) is not client:
                self._offers.pop(name, None)
            if id(client) not in kept:
                self._leaving[id(client)] = client
                await self._close_if_unused(client)

    @asynccontextmanager
    async def _using(self, client: ChatModel) -> AsyncGenerator[ChatModel]:
        self._calls[id(client)] += 1
        try:
            yield client
        finally:
            self._calls[id(client)] -= 1
            await self._close_if_unused(client)

    async def _close_if_unused(self, client: ChatModel) -> None:
        if not self._calls[id(client)] and self._leaving.pop(id(client), None) is not None:
            del self._calls[id(client)]
            await client.aclose()

    async def offer_of(self, provider: str, *, is_fresh: bool = False) -> tuple[int, ModelError | None]:
        """Return how many models a provider offers, and why it does not respond.

        With `is_fresh`, it is asked now. A provider that is not among these offers nothing.
        """
        client = self._others.get(provider)
        if client is None:
            return 0, None
        if is_fresh:
            self._offers[provider] = replace(self._offers.get(provider, _Offer()), asked_at=float("-inf"))
        found = await self._models_of(provider, client)
        return len(found.models), found.failure

    async def models(self) -> list[ModelInfo]:
        """Return the models of all providers, those of Ollama first.

        One that does not respond keeps the models that it had: a conversation must not go to another provider because its own
        is restarted.

        Raises:
            ModelError: when no provider responds.
        """
        asked = [self._models_of("", self._ollama), *(self._models_of(*item) for item in self._others.items())]
        answers = await asyncio.gather(*asked)
        failures = [answer.failure for answer in answers if answer.failure is not None]
        if len(failures) == len(answers):
            raise failures[0]
        own, *others = answers
        # Names of Ollama may begin as those of a provider: the provider has them then, also while it is disabled.
        offered = [model for model in own.models if not self._is_taken(model.name)]
        return [*offered, *(model for answer in others for model in answer.models)]

    def _is_taken(self, model: str) -> bool:
        name, slash, _ = model.partition("/")
        return bool(slash) and (name in self._others or name in self._reserved)

    async def names_below(self, provider: str) -> list[str]:
        """Return the models of the Ollama hosts whose names begin with a provider's name; none if they do not respond."""
        known = await self._models_of("", self._ollama)
        return [model.name for model in known.models if model.name.startswith(f"{provider}/")]

    async def _models_of(self, provider: str, client: ChatModel) -> _Offer:
        """Return what a provider offers; another one than Ollama is asked again only after some time."""
        known = self._offers.get(provider, _Offer())
        seconds = _AWAY_SECONDS if known.failure else _FRESH_SECONDS
        if provider and time.monotonic() - known.asked_at < seconds:
            return known
        try:
            async with self._using(client):
                found = await client.models()
        except ModelError as error:
            offer = _Offer(known.models, error, time.monotonic())
        else:
            named = [replace(model, name=f"{provider}/{model.name}") if provider else model for model in found]
            offer = _Offer(named, None, time.monotonic())
        if not provider or self._others.get(provider) is client:
            # Otherwise it was replaced meanwhile, and another one has its name.
            self._offers[provider] = offer
        return offer

    async def _provider_of(self, model: str) -> tuple[ChatModel, str]:
        """Return the provider of a model, and the model's name there. Names of Ollama may contain slashes, too.

        Raises:
            ModelUnknown: if its provider is disabled or was deleted. It never is a model of another provider.
        """
        name, slash, rest = model.partition("/")
        if not slash or _POSSIBLE_NAME.fullmatch(name) is None:
            return self._ollama, model
        if (other := self._others.get(name)) is not None:
            return other, rest
        if name in self._reserved:
            raise ModelUnknown(_DISABLED.format(model=model, provider=name))
        with suppress(ModelHostUnavailable):
            if not await self._ollama.has(model):
                raise ModelUnknown(_GONE.format(model=model, provider=name))
        return self._ollama, model

    async def chat(
        self,
        model: str,
        messages: Sequence[ChatMessage] | PreparedPrompt,
        tools: Sequence[ToolSpec] = (),
        options: ChatOptions = NO_OPTIONS,
    ) -> AsyncGenerator[ChatEvent]:
        """Yield the events of an answer by the model's provider; see the ChatModel port."""
        provider, name = await self._provider_of(model)
        async with self._using(provider), aclosing(provider.chat(name, messages, tools, options)) as events:
            async for event in events:
                yield event

    async def parameters(self, model: str) -> ParameterSupport:
        """Return which options the model's provider takes; see the ChatModel port. A model that is gone takes all."""
        try:
            provider, name = await self._provider_of(model)
        except ModelUnknown:
            return ParameterSupport(frozenset(ChatOptions.__dataclass_fields__))
        async with self._using(provider):
            return await provider.parameters(name)

    async def prepare(
        self, model: str, messages: Sequence[ChatMessage], options: ChatOptions = NO_OPTIONS
    ) -> PreparedPrompt:
        """Return what the model's provider sends; see the ChatModel port."""
        provider, name = await self._provider_of(model)
        async with self._using(provider):
            return await provider.prepare(name, messages, options)

    async def is_loading(self, model: str) -> bool:
        """Return whether the model's host still has to load it; see the ChatModel port."""
        try:
            provider, name = await self._provider_of(model)
        except ModelUnknown:
            return False
        async with self._using(provider):
            return await provider.is_loading(name)

    def host_status(self) -> list[HostStatus]:
        """Return what is known of the hosts of all providers of Ollama, those of the settings first."""
        clients = {"": self._ollama, **self._others}
        return [
            replace(status, provider=name)
            for name, client in clients.items()
            if isinstance(client, OllamaChatModel)
            for status in client.host_status()
        ]

    async def check_hosts(self) -> None:
        """Ask all hosts what they have; see the ModelHosts port."""
        clients = [client for client in (self._ollama, *self._others.values()) if isinstance(client, OllamaChatModel)]
        await asyncio.gather(*(client.check_hosts() for client in clients))

    @asynccontextmanager
    async def _managing(self, provider: str, name: str) -> AsyncGenerator[tuple[OllamaHost, float]]:
        """Return a host of a provider, and how long it may load a model; raises NotFound."""
        client = self._others.get(provider) if provider else self._ollama
        host = client.host(name) if isinstance(client, OllamaChatModel) else None
        if not isinstance(client, OllamaChatModel) or host is None:
            raise NotFound("There is no such host any more. Reload the page.")
        async with self._using(client):
            yield host, client.load_seconds

    async def pull(self, provider: str, host: str, model: str) -> AsyncGenerator[PullProgress]:
        """Download a model to a host; see the ModelHosts port."""
        async with self._managing(provider, host) as (found, _), aclosing(management.pull(found, model)) as progress:
            async for item in progress:
                yield item
            await self._refresh(found)

    async def delete_model(self, provider: str, host: str, model: str) -> None:
        """Delete a model from a host; see the ModelHosts port."""
        async with self._managing(provider, host) as (found, _):
            await management.delete(found, model)
            await self._refresh(found)

    async def load_model(self, provider: str, host: str, model: str) -> None:
        """Load a model into a host's memory; see the ModelHosts port."""
        async with self._managing(provider, host) as (found, seconds):
            await management.load(found, model, seconds)

    async def unload_model(self, provider: str, host: str, model: str) -> None:
        """Remove a model from a host's memory; see the ModelHosts port."""
        async with self._managing(provider, host) as (found, _):
            await management.unload(found, model)

    async def model_details(self, provider: str, host: str, model: str) -> ModelDetails:
        """Return what a host says about a model; see the ModelHosts port."""
        async with self._managing(provider, host) as (found, _):
            return await management.details(found, model)

    async def _refresh(self, host: OllamaHost) -> None:
        # Lists of models are asked again: one has come or gone.
        self._offers = {name: replace(offer, asked_at=float("-inf")) for name, offer in self._offers.items()}
        with suppress(ModelError):
            await host.list_models()

    def hosts_heard_since(self, moment: float) -> list[str]:
        """Return the hosts that sent a part of an answer after a moment; see the ChatModel port."""
        return [
            host for provider in (self._ollama, *self._others.values()) for host in provider.hosts_heard_since(moment)
        ]

    def note_heard(self, host: str) -> None:
        """Note that a host sends an answer to another process; see the ChatModel port."""
        for provider in (self._ollama, *self._others.values()):
            provider.note_heard(host)

    async def aclose(self) -> None:
        """Close all connections."""
        for provider in (self._ollama, *self._others.values(), *self._leaving.values()):
            await provider.aclose()
