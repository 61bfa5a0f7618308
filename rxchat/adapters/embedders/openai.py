"""Vectors and scores from servers with OpenAI's API, such as vLLM, llama.cpp, LocalAI, TEI and OpenAI.

Embeddings: https://platform.openai.com/docs/api-reference/embeddings. Reranking has no standard; this uses /rerank as
Jina, Cohere, vLLM and llama.cpp offer it (https://docs.vllm.ai, "Score API").
"""

from __future__ import annotations

from collections.abc import Sequence

from rxchat.adapters.embedders.http_client import Endpoint, unit_vectors
from rxchat.domain.embedder_prefixes import prefixes_of
from rxchat.domain.errors import EmbedderError
from rxchat.domain.ports import EmbeddingModel
from rxchat.domain.retrieval import EmbedderInfo


class OpenAIEmbeddingModel:
    """One embedding model behind /embeddings."""

    def __init__(
        self,
        url: str,
        model: str,
        key: str,
        max_tokens: int,
        *,
        query_prefix: str | None = None,
        document_prefix: str | None = None,
        others: EmbeddingModel | None = None,
    ) -> None:
        """Create the client. `max_tokens` is a setting, since the API does not return the limit of a text.

        `others` offers the models of earlier indexes, which embed questions until this model's index is complete.
        """
        self._prefixes = prefixes_of(model).replaced(query_prefix, document_prefix)
        self._others = others
        self._endpoint = Endpoint(url, "The embedding service", key)
        self._model = model
        self._max_tokens = max_tokens
        self._info: EmbedderInfo | None = None

    @property
    def label(self) -> str:
        """Return the model's name and address; see the EmbeddingModel port."""
        return f"{self._model}, from the embedding service" if self._model else "the embedding service"

    async def info(self, prefer: str = "") -> EmbedderInfo:
        """Return the model's properties; see the EmbeddingModel port."""
        del prefer
        if self._info is None:
            vectors = await self._embedded(["dimensions"], None)
            query, document = self._prefixes.query, self._prefixes.document
            self._info = EmbedderInfo(self._model, len(vectors[0]), self._max_tokens, query, document)
        return self._info

    async def embed(self, texts: Sequence[str], by: EmbedderInfo) -> list[list[float]]:
        """Return a vector for each text; see the EmbeddingModel port."""
        if by.model != self._model:
            if self._others is not None:
                return await self._others.embed(texts, by)
            raise EmbedderError(f"The embedding service is set up for {self._model}, not for {by.model}.")
        return await self._embedded(texts, by.dimensions)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._endpoint.aclose()
        if self._others is not None:
            await self._others.aclose()

    async def _embedded(self, texts: Sequence[str], dimensions: int | None) -> list[list[float]]:
        body = {"model": self._model, "input": [text or " " for text in texts], "encoding_format": "float"}
        rows = (await self._endpoint.post("/embeddings", body)).get("data")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise EmbedderError("The embedding service returned no vectors.")
        ordered = sorted(rows, key=lambda row: row.get("index", 0))
        return unit_vectors([row.get("embedding") for row in ordered], len(texts), dimensions, "The embedding service")


class OpenAIReranker:
    """A cross-encoder behind /rerank."""

    def __init__(self, url: str, model: str, key: str) -> None:
        self._endpoint = Endpoint(url, "The reranker", key)
        self._model = model

    async def scores(self, question: str, passages: Sequence[str]) -> list[float]:
        """Return a score for each passage; see the Reranker port."""
        body = {"model": self._model, "query": question, "documents": list(passages), "top_n": len(passages)}
        rows = (await self._endpoint.post("/rerank", body)).get("results")
        scores: dict[int, float] = {}
        for row in rows if isinstance(rows, list) else []:
            if isinstance(row, dict) and isinstance(row.get("relevance_score"), (int, float)):
                scores[row.get("index", -1)] = float(row["relevance_score"])
        if scores.keys() != set(range(len(passages))):
            raise EmbedderError("The reranker did not return a score for each passage.")
        return [scores[number] for number in range(len(passages))]

    async def aclose(self) -> None:
        """Close the connections."""
        await self._endpoint.aclose()
