"""Vectors from Ollama's /api/embed, whether a daemon's or the embedded server's (https://docs.ollama.com/api/embed)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from rxchat.adapters.embedders.calls import Endpoint, unit_vectors
from rxchat.domain.errors import EmbedderError
from rxchat.domain.retrieval import EmbedderInfo

_FALLBACK_TOKENS = 256
_EMBEDS = re.compile(r"embed|minilm|\bbge|\bgte|\be5\b", re.IGNORECASE)


class OllamaEmbeddingModel:
    """One embedding model at the first of the hosts that has it; without a name, the first that there is."""

    def __init__(self, hosts: Sequence[str], model: str = "") -> None:
        """Know where to ask; nothing is connected yet."""
        self._endpoints = [Endpoint(host, "The embedding model's host") for host in hosts]
        self._wanted = model
        self._found: tuple[Endpoint, EmbedderInfo] | None = None

    async def info(self) -> EmbedderInfo:
        """Return which model it is; see the EmbeddingModel port."""
        return (await self._chosen())[1]

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return a vector for each text; see the EmbeddingModel port."""
        endpoint, info = await self._chosen()
        try:
            return await self._embedded(endpoint, info.model, texts, info.dimensions)
        except EmbedderError:
            # Perhaps another host has it by now, or the model is another one of the same name.
            self._found = None
            raise

    async def aclose(self) -> None:
        """Close the connections."""
        for endpoint in self._endpoints:
            await endpoint.aclose()

    async def _chosen(self) -> tuple[Endpoint, EmbedderInfo]:
        if self._found is None:
            self._found = await self._find()
        return self._found

    async def _find(self) -> tuple[Endpoint, EmbedderInfo]:
        failure = EmbedderError(
            f"No Ollama host has the embedding model {self._wanted!r}: pull it there."
            if self._wanted
            else "No Ollama host has an embedding model: pull one there, such as nomic-embed-text."
        )
        for endpoint in self._endpoints:
            try:
                rows = (await endpoint.get("/api/tags")).get("models") or []
            except EmbedderError as error:
                failure = error
                continue
            name = next((row["model"] for row in rows if isinstance(row, dict) and self._fits(row)), None)
            if name is not None:
                return endpoint, await self._described(endpoint, name)
        raise failure

    def _fits(self, row: dict[str, Any]) -> bool:
        name = str(row.get("model") or "")
        if self._wanted:
            return name in {self._wanted, f"{self._wanted}:latest"}
        capabilities = row.get("capabilities")
        return "embedding" in capabilities if capabilities else bool(_EMBEDS.search(name))

    async def _described(self, endpoint: Endpoint, model: str) -> EmbedderInfo:
        facts = (await endpoint.post("/api/show", {"model": model})).get("model_info") or {}
        tokens = next((value for name, value in facts.items() if name.endswith(".context_length")), _FALLBACK_TOKENS)
        vectors = await self._embedded(endpoint, model, ["dimensions"], None)
        return EmbedderInfo(model, len(vectors[0]), max(16, int(tokens)))

    async def _embedded(
        self, endpoint: Endpoint, model: str, texts: Sequence[str], dimensions: int | None
    ) -> list[list[float]]:
        # An empty text has no vector; and what is too long is said, instead of being cut in silence.
        body = {"model": model, "input": [text or " " for text in texts], "truncate": False}
        answer = await endpoint.post("/api/embed", body)
        return unit_vectors(answer.get("embeddings"), len(texts), dimensions, "The embedding model")
