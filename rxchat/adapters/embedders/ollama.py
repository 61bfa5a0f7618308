"""Vectors from Ollama's /api/embed, whether a daemon's or the embedded server's (https://docs.ollama.com/api/embed)."""

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
    """The embedder that RxChat brings along: its name, and how to start it or find out where it listens."""

    model: str
    url: Callable[[], Awaitable[str]]
    """Raises EmbedderError when it cannot run."""


class OllamaEmbeddingModel:
    """One embedding model, at the first of the hosts that has it; without a name, the one that RxChat brings along.

    Where there is none of its own either (in tests), it is the first that the hosts have.
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
        """Prepare the clients; nothing is connected yet. Prefixes that are given replace those that are known."""
        self._endpoints = [Endpoint(host, "The embedding model's host") for host in hosts]
        self._wanted = model or (own.model if own else "")
        self._own = own
        self._own_endpoint: Endpoint | None = None
        self._prefix_settings = query_prefix, document_prefix
        self._found: dict[str, tuple[Endpoint, EmbedderInfo]] = {}
        """Where each model is, and what it makes; the wanted one (or the first that there is) is also under ""."""

    @property
    def label(self) -> str:
        """What it is called, and where it is; see the EmbeddingModel port."""
        if self._own is not None and self._wanted == self._own.model:
            return f"{self._wanted}, which comes with RxChat"
        return (
            f"{self._wanted}, on the Ollama hosts" if self._wanted else "the first embedding model of the Ollama hosts"
        )

    async def info(self, prefer: str = "") -> EmbedderInfo:
        """Return which model it is; see the EmbeddingModel port."""
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
            # Perhaps another host has it by now. Another user may have found out at the same time.
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
            # Perhaps the one that is away has it: all documents would be embedded again for nothing.
            raise failure
        endpoint, name = next((item for item in there if item[1] == prefer), there[0])
        return endpoint, await self._described(endpoint, name)

    async def _started(self, own: OwnEmbedder) -> Endpoint:
        """Return where the own embedder listens now; after a restart that is another port."""
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
        # A prefix takes some of a text's room: about four characters a token.
        room = int(tokens) - -(-len(prefixes.document) // 4)
        return EmbedderInfo(model, len(vectors[0]), max(16, room), prefixes.query, prefixes.document)

    async def _embedded(
        self, endpoint: Endpoint, model: str, texts: Sequence[str], dimensions: int | None
    ) -> list[list[float]]:
        # An empty text has no vector; and what is too long is said, instead of being cut in silence.
        body = {"model": model, "input": [text or " " for text in texts], "truncate": False}
        answer = await endpoint.post("/api/embed", body)
        return unit_vectors(answer.get("embeddings"), len(texts), dimensions, "The embedding model")


def _fits(row: dict[str, Any], wanted: str) -> bool:
    name = str(row.get("model") or "")
    if wanted:
        return name in {wanted, f"{wanted}:latest"}
    capabilities = row.get("capabilities")
    return "embedding" in capabilities if capabilities else bool(_EMBEDS.search(name))
