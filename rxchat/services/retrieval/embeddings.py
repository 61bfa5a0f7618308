"""Vectors of texts for programs, from the embedding model that RxChat's own search uses."""

from __future__ import annotations

from collections.abc import Sequence

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import require_scope
from rxchat.domain.errors import EmbedderError, ModelUnknown
from rxchat.domain.permissions import Scope
from rxchat.domain.ports import EmbeddingModel
from rxchat.domain.quotas import rough_tokens
from rxchat.domain.retrieval import EmbedderInfo
from rxchat.services.models.metering import Metering

_BATCH = 16


class Embeddings:
    """Computes vectors of texts that are stored nowhere."""

    def __init__(self, embedder: EmbeddingModel, metering: Metering) -> None:
        self._embedder = embedder
        self._metering = metering

    async def model(self) -> EmbedderInfo | None:
        """Return the embedding model; None while its host does not respond."""
        try:
            return await self._embedder.info()
        except EmbedderError:
            return None

    async def vectors(self, current_user: CurrentUser, model: str, texts: Sequence[str]) -> list[list[float]]:
        """Return a vector of length one for each text.

        Raises:
            NotAllowed: when the key lacks the scope.
            ModelUnknown: when it is not the name of the embedding model.
            TextTooLong: when a text has more tokens than the model accepts.
            EmbedderError: when the model does not respond, or refuses a text.
            QuotaExceeded: when a quota of the user is used up.
        """
        require_scope(current_user, Scope.CHAT)
        info = await self._embedder.info()
        if model != info.model:
            raise ModelUnknown(f"The embedding model is {info.model}. It is the only one that makes vectors here.")

        async def embed() -> list[list[float]]:
            found: list[list[float]] = []
            for start in range(0, len(texts), _BATCH):
                found += await self._embedder.embed(texts[start : start + _BATCH], info)
            return found

        return await self._metering.metered(current_user.user_id, model, sum(map(rough_tokens, texts)), embed)
