"""The models that users can choose."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rxchat.domain.chat import ModelInfo
from rxchat.domain.errors import ModelError
from rxchat.domain.model_settings import ModelSetting, described
from rxchat.domain.ports import ChatModel

_FRESH_SECONDS = 10.0
_LOADING_SECONDS = 1.0
_NO_MODEL = "The model host has no chat model. Install one, for example with: ollama pull llama3.2"
_ALL_HIDDEN = "All models are hidden by your administrators."


@dataclass(frozen=True, slots=True)
class ModelList:
    """The available models, the default one, and the problem if there are none."""

    models: tuple[ModelInfo, ...]
    """Those that users are offered, in the order that administrators set."""
    default: str
    problem: str = ""
    """A message for all users."""
    detail: str = ""
    """For administrators: which host failed, and its error."""
    forbidden: tuple[ModelInfo, ...] = ()
    """Models outside of this network that no administrator has allowed."""
    hidden: tuple[ModelInfo, ...] = ()
    """Models that administrators left out of lists; conversations that use them continue to."""

    @property
    def known(self) -> tuple[ModelInfo, ...]:
        """All models that can answer."""
        return (*self.models, *self.hidden)


class ModelCatalog:
    """The models of the providers, cached for ten seconds, with what administrators set for them."""

    def __init__(
        self,
        provider: ChatModel,
        settings: Callable[[], Mapping[str, ModelSetting]] = dict,
        *,
        default: str = "",
    ) -> None:
        """Begin empty. `settings` returns what administrators set; `default` is the default model until they choose another."""
        self._provider = provider
        self._settings = settings
        self._preferred = default
        self._found: Sequence[ModelInfo] = ()
        self._offer: ModelList | None = None
        self._asked_at = 0.0
        self._loading: dict[str, tuple[float, bool]] = {}

    async def offer(self) -> ModelList:
        """Return the available models; if the provider does not respond, the last known ones with the problem."""
        if self._offer is not None and not self._offer.problem and time.monotonic() - self._asked_at < _FRESH_SECONDS:
            return self._offer
        try:
            self._found = await self._provider.models()
        except ModelError as error:
            known = self._offer or ModelList((), self._default(()))
            self._offer = ModelList(known.models, known.default, error.message, error.detail, hidden=known.hidden)
            return self._offer
        self._asked_at = time.monotonic()
        self._offer = self._described()
        return self._offer

    def _described(self) -> ModelList:
        found = described(self._found, self._settings())
        shown = tuple(model for model in found if model.can_chat and not model.is_hidden)
        hidden = tuple(model for model in found if model.can_chat and model.is_hidden)
        forbidden = tuple(model for model in found if model.is_chat_model and not model.is_allowed)
        problem = "" if shown else _ALL_HIDDEN if hidden else _NO_MODEL
        return ModelList(shown, self._default(shown), problem, forbidden=forbidden, hidden=hidden)

    def describe_again(self) -> None:
        """Apply what administrators have set since; the providers are not asked."""
        if self._offer is not None and self._asked_at:
            self._offer = self._described()

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
        chosen = _chosen_default(self._settings())
        if not names:
            return chosen or self._preferred
        # "llama3.2" is short for llama3.2:latest.
        wanted = [item for name in (chosen, self._preferred) if name for item in (name, f"{name}:latest")]
        return next((name for name in wanted if name in names), names[0])


def _chosen_default(settings: Mapping[str, ModelSetting]) -> str:
    return next((item.model for item in settings.values() if item.is_default), "")
