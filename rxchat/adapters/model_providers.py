"""Several providers as one ChatModel: the models of Ollama under their own names, those of others as `provider/name`."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace

from rxchat.domain.chat import NO_OPTIONS, ChatEvent, ChatMessage, ChatOptions, ModelInfo, PreparedPrompt, ToolSpec
from rxchat.domain.errors import ModelError
from rxchat.domain.model_parameters import ParameterSupport
from rxchat.domain.ports import ChatModel

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

    def __init__(self, ollama: ChatModel, others: Mapping[str, ChatModel]) -> None:
        """Begin with the providers of the settings, which stay."""
        self._ollama = ollama
        self._configured = dict(others)
        self._others = dict(others)
        self._offers: dict[str, _Offer] = {}
        self._calls: Counter[int] = Counter()
        """How many calls each client serves now, by its identity."""
        self._leaving: dict[int, ChatModel] = {}

    async def replace(self, others: Mapping[str, ChatModel]) -> None:
        """Offer these providers from now on, beside those of the settings, whose names they cannot take."""
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
        return [model for answer in answers for model in answer.models]

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

    def _provider_of(self, model: str) -> tuple[ChatModel, str]:
        """Return the provider of a model, and the model's name there. Names of Ollama may contain slashes, too."""
        name, slash, rest = model.partition("/")
        other = self._others.get(name) if slash else None
        return (other, rest) if other is not None else (self._ollama, model)

    async def chat(
        self,
        model: str,
        messages: Sequence[ChatMessage] | PreparedPrompt,
        tools: Sequence[ToolSpec] = (),
        options: ChatOptions = NO_OPTIONS,
    ) -> AsyncGenerator[ChatEvent]:
        """Yield the events of an answer by the model's provider; see the ChatModel port."""
        provider, name = self._provider_of(model)
        async with self._using(provider), aclosing(provider.chat(name, messages, tools, options)) as events:
            async for event in events:
                yield event

    async def parameters(self, model: str) -> ParameterSupport:
        """Return which options the model's provider takes; see the ChatModel port."""
        provider, name = self._provider_of(model)
        async with self._using(provider):
            return await provider.parameters(name)

    async def prepare(
        self, model: str, messages: Sequence[ChatMessage], options: ChatOptions = NO_OPTIONS
    ) -> PreparedPrompt:
        """Return what the model's provider sends; see the ChatModel port."""
        provider, name = self._provider_of(model)
        async with self._using(provider):
            return await provider.prepare(name, messages, options)

    async def is_loading(self, model: str) -> bool:
        """Return whether the model's host still has to load it; see the ChatModel port."""
        provider, name = self._provider_of(model)
        async with self._using(provider):
            return await provider.is_loading(name)

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
