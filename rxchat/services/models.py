"""The models that people can choose from."""

from __future__ import annotations

import time
from dataclasses import dataclass

from rxchat.domain.chat import ModelInfo
from rxchat.domain.errors import ModelError
from rxchat.domain.ports import ChatModel

_FRESH_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Offer:
    """The models on offer, the one that answers by default, and what is wrong when there are none."""

    models: tuple[ModelInfo, ...]
    default: str
    problem: str = ""


class Models:
    """What the providers offer, asked for at most every ten seconds."""

    def __init__(self, provider: ChatModel, *, default: str = "") -> None:
        """Know whom to ask and which model the operator prefers."""
        self._provider = provider
        self._preferred = default
        self._offer: Offer | None = None
        self._asked_at = 0.0

    async def offer(self) -> Offer:
        """Return what is on offer now; with the provider away, what was last known and the problem."""
        if self._offer is not None and not self._offer.problem and time.monotonic() - self._asked_at < _FRESH_SECONDS:
            return self._offer
        try:
            models = tuple(model for model in await self._provider.models() if model.can_chat)
        except ModelError as error:
            known = self._offer.models if self._offer else ()
            self._offer = Offer(known, self._default(known), error.message)
            return self._offer
        problem = "" if models else "The model host has no chat model yet. Get one with: ollama pull llama3.2"
        self._asked_at = time.monotonic()
        self._offer = Offer(models, self._default(models), problem)
        return self._offer

    def _default(self, models: tuple[ModelInfo, ...]) -> str:
        names = [model.name for model in models]
        if self._preferred in names or not names:
            return self._preferred
        return names[0]
