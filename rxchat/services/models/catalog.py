"""The models that users can choose."""

from __future__ import annotations

import time
from dataclasses import dataclass

from rxchat.domain.chat import ModelInfo
from rxchat.domain.errors import ModelError
from rxchat.domain.ports import ChatModel

_FRESH_SECONDS = 10.0
_LOADING_SECONDS = 1.0
_NO_MODEL = "The model host has no chat model. Install one, for example with: ollama pull llama3.2"


@dataclass(frozen=True, slots=True)
class ModelList:
    """The available models, the default one, and the problem if there are none."""

    models: tuple[ModelInfo, ...]
    default: str
    problem: str = ""
    """A message for all users."""
    detail: str = ""
    """For administrators: which host failed, and its error."""
    forbidden: tuple[ModelInfo, ...] = ()
    """Models outside of this network that no administrator has allowed."""


class ModelCatalog:
    """The models of the provider, cached for ten seconds."""

    def __init__(self, provider: ChatModel, *, default: str = "") -> None:
        self._provider = provider
        self._preferred = default
        self._offer: ModelList | None = None
        self._asked_at = 0.0
        self._loading: dict[str, tuple[float, bool]] = {}

    async def offer(self) -> ModelList:
        """Return the available models; if the provider does not respond, the last known ones with the problem."""
        if self._offer is not None and not self._offer.problem and time.monotonic() - self._asked_at < _FRESH_SECONDS:
            return self._offer
        try:
            found = await self._provider.models()
        except ModelError as error:
            known = self._offer.models if self._offer else ()
            self._offer = ModelList(known, self._default(known), error.message, error.detail)
            return self._offer
        models = tuple(model for model in found if model.can_chat)
        forbidden = tuple(model for model in found if model.is_chat_model and not model.is_allowed)
        self._asked_at = time.monotonic()
        if models:
            self._offer = ModelList(models, self._default(models), forbidden=forbidden)
        else:
            self._offer = ModelList((), self._default(()), _NO_MODEL, forbidden=forbidden)
        return self._offer

    def forget(self) -> None:
        """Ask the providers again at the next call: they have changed."""
        self._asked_at = float("-inf")

    async def is_loading(self, model: str) -> bool:
        """Return whether a host is loading a model, if that is known; cached for a second."""
        asked_at, is_loading = self._loading.get(model, (float("-inf"), False))
        if time.monotonic() - asked_at > _LOADING_SECONDS:
            # Set before the request, so that others who wait for the same model do not ask again.
            self._loading[model] = time.monotonic(), is_loading
            is_loading = await self._provider.is_loading(model)
            self._loading[model] = time.monotonic(), is_loading
        return is_loading

    def _default(self, models: tuple[ModelInfo, ...]) -> str:
        names = [model.name for model in models]
        if not names:
            return self._preferred
        # "llama3.2" is short for llama3.2:latest.
        wanted = (self._preferred, f"{self._preferred}:latest")
        return next((name for name in names if name in wanted), names[0])
