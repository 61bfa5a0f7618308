"""Vectors from Ollama's /api/embed, of a daemon or the embedded server (https://docs.ollama.com/api/embed)."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rxchat.adapters.embedders.http_client import Endpoint, unit_vectors
from rxchat.domain.embedder_prefixes import prefixes_of
from rxchat.domain.errors import EmbedderError, TextRefused, TextTooLong
from rxchat.domain.retrieval import EmbedderInfo

_FALLBACK_TOKENS = 256
_EMBEDS = re.compile(r"embed|minilm|\bbge|\bgte|\be5\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class OwnEmbedder:
    """The embedded server's embedding model: its name, and a function that starts it and returns its address."""

    model: str
    url: Callable[[], Awaitable[str]]
    """Returns the address; raises EmbedderError if the server cannot run."""


class OllamaEmbeddingModel:
    """One embedding model, at the first host that has it; without a name, the embedded server's model.

    Without an embedded server (in tests), it is the first embedding model of the hosts.
    """

    def __init__(
        self,
        hosts: Sequence[str],
        model: str = "",
        own: OwnEmbedder | None = None,
        *,
        query_prefix: str | None = None,
        document_prefix: str | None = None,
    ) -> None:
        """Create the clients, which connect at their first calls. Given prefixes replace the model's known ones."""
        self._endpoints = [Endpoint(host, "The embedding model's host") for host in hosts]
        self._wanted = model or (own.model if own else "")
        self._own = own
        self._own_endpoint: Endpoint | None = None
        self._prefix_settings = query_prefix, document_prefix
        self._found: dict[str, tuple[Endpoint, EmbedderInfo]] = {}
        """The endpoint and properties of each model; "" is the key of the configured model, or else the first one."""

    @property
    def label(self) -> str:
        """Return the model's name and address; see the EmbeddingModel port."""
        if self._own is not None and self._wanted == self._own.model:
            return f"{self._wanted}, which comes with RxChat"
        return (
            f"{self._wanted}, on the Ollama hosts" if self._wanted else "the first embedding model of the Ollama hosts"
        )

    async def info(self, prefer: str = "") -> EmbedderInfo:
        """Return the model's properties; see the EmbeddingModel port."""
        if "" not in self._found:
            self._found[""] = await self._find(self._wanted, prefer)
        return self._found[""][1]

    async def embed(self, texts: Sequence[str], by: EmbedderInfo) -> list[list[float]]:
        """Return a vector for each text; see the EmbeddingModel port."""
        if by.model not in self._found:
            self._found[by.model] = await self._find(by.model)
        endpoint, info = self._found[by.model]
        if info.dimensions != by.dimensions:
            raise EmbedderError(
                f"{by.model} now returns vectors of {info.dimensions} dimensions instead of {by.dimensions}."
            )
        try:
            return await self._embedded(endpoint, by.model, texts, by.dimensions)
        except (TextTooLong, TextRefused):
            raise
        except EmbedderError:
            # Another host may have the model by now. Another call may have removed the entry at the same time.
            self._found.pop(by.model, None)
            self._found.pop("", None)
            raise

    async def aclose(self) -> None:
        """Close the connections."""
        for endpoint in self._endpoints:
            await endpoint.aclose()
        if self._own_endpoint is not None:
            await self._own_endpoint.aclose()

    async def _find(self, wanted: str, prefer: str = "") -> tuple[Endpoint, EmbedderInfo]:
        if self._own is not None and wanted == self._own.model:
            endpoint = await self._started(self._own)
            return endpoint, await self._described(endpoint, wanted)
        failure = EmbedderError(
            f"No Ollama host has the embedding model {wanted!r}. Install it with: ollama pull {wanted}"
            if wanted
            else "No Ollama host has an embedding model. Install one, for example: ollama pull nomic-embed-text"
        )
        there: list[tuple[Endpoint, str]] = []
        is_away = False
        for endpoint in self._endpoints:
            try:
                rows = (await endpoint.get("/api/tags")).get("models") or []
            except EmbedderError as error:
                failure, is_away = error, True
                continue
            there += [(endpoint, str(row["model"])) for row in rows if isinstance(row, dict) and _fits(row, wanted)]
        is_somewhere = any(name == prefer for _, name in there)
        if not there or (prefer and is_away and not is_somewhere):
            # The host that does not respond may have the model; with another one, all documents would be embedded again.
            raise failure
        endpoint, name = next((item for item in there if item[1] == prefer), there[0])
        return endpoint, await self._described(endpoint, name)

    async def _started(self, own: OwnEmbedder) -> Endpoint:
        """Return the embedded server's current endpoint; it has another port after a restart."""
        url = await own.url()
        if self._own_endpoint is None or self._own_endpoint.url != url:
            if self._own_endpoint is not None:
                await self._own_endpoint.aclose()
            self._own_endpoint = Endpoint(url, "The embedder that comes with RxChat")
        return self._own_endpoint

    async def _described(self, endpoint: Endpoint, model: str) -> EmbedderInfo:
        facts = (await endpoint.post("/api/show", {"model": model})).get("model_info") or {}
        tokens = next((value for name, value in facts.items() if name.endswith(".context_length")), _FALLBACK_TOKENS)
        vectors = await self._embedded(endpoint, model, ["dimensions"], None)
        prefixes = prefixes_of(model)
        if model == self._wanted or not self._wanted:
            prefixes = prefixes.replaced(*self._prefix_settings)
        # The prefix is part of the text that the model reads: about four characters a token.
        room = int(tokens) - -(-len(prefixes.document) // 4)
        return EmbedderInfo(model, len(vectors[0]), max(16, room), prefixes.query, prefixes.document)

    async def _embedded(
        self, endpoint: Endpoint, model: str, texts: Sequence[str], dimensions: int | None
    ) -> list[list[float]]:
        # Ollama returns no vector for an empty text; without `truncate` it refuses long texts instead of cutting them.
        body = {"model": model, "input": [text or " " for text in texts], "truncate": False}
        answer = await endpoint.post("/api/embed", body)
        return unit_vectors(answer.get("embeddings"), len(texts), dimensions, "The embedding model")


def _fits(row: dict[str, Any], wanted: str) -> bool:
    name = str(row.get("model") or "")
    if wanted:
        return name in {wanted, f"{wanted}:latest"}
    capabilities = row.get("capabilities")
    return "embedding" in capabilities if capabilities else bool(_EMBEDS.search(name))
