"""Several providers as one ChatModel: the models of Ollama under their own names, those of others as `provider/name`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace

import structlog

from rxchat.domain.chat import ChatEvent, ChatMessage, ModelInfo, ToolSpec
from rxchat.domain.errors import ModelError
from rxchat.domain.ports import ChatModel

log = structlog.get_logger(__name__)


class ModelProviders:
    """The models of Ollama, and of other providers by their names."""

    def __init__(self, ollama: ChatModel, others: Mapping[str, ChatModel]) -> None:
        self._ollama = ollama
        self._others = dict(others)

    async def models(self) -> list[ModelInfo]:
        """Return the models of all providers, those of Ollama first; one that does not respond hides none of the others.

        Raises:
            ModelError: when no provider responds.
        """
        asked = [self._ollama.models(), *(self._models_of(name) for name in self._others)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        failures = [answer for answer in answers if isinstance(answer, BaseException)]
        for failure in failures:
            if not isinstance(failure, ModelError):
                raise failure
        found = [model for answer in answers if not isinstance(answer, BaseException) for model in answer]
        if failures and not found:
            raise failures[0]
        return found

    async def _models_of(self, provider: str) -> list[ModelInfo]:
        found = await self._others[provider].models()
        return [replace(model, name=f"{provider}/{model.name}") for model in found]

    def _provider_of(self, model: str) -> tuple[ChatModel, str]:
        """Return the provider of a model, and the model's name there. Names of Ollama may contain slashes, too."""
        name, slash, rest = model.partition("/")
        other = self._others.get(name) if slash else None
        return (other, rest) if other is not None else (self._ollama, model)

    async def chat(
        self, model: str, messages: Sequence[ChatMessage], tools: Sequence[ToolSpec] = ()
    ) -> AsyncGenerator[ChatEvent]:
        """Yield the events of an answer by the model's provider; see the ChatModel port."""
        provider, name = self._provider_of(model)
        async with aclosing(provider.chat(name, messages, tools)) as events:
            async for event in events:
                yield event

    async def is_loading(self, model: str) -> bool:
        """Return whether the model's host still has to load it; see the ChatModel port."""
        provider, name = self._provider_of(model)
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
        for provider in (self._ollama, *self._others.values()):
            await provider.aclose()
