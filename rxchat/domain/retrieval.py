"""Finding passages: the values that pass between a question, the index and the model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from rxchat.domain.tokenizing import UNSPACED

MOST_DIMENSIONS = 4_000
"""What pgvector's HNSW index on halfvec can hold."""
EXACT_CHUNKS = 20_000
"""Scopes of at most so many chunks are read through; in larger ones the HNSW index is asked (decision 0011)."""
CANDIDATES = 60
"""How many each of the two searches brings before they are fused."""
FUSION = 60
"""The constant of reciprocal rank fusion: 1 / (60 + rank), summed (Cormack, Clarke, Büttcher, SIGIR 2009)."""
_SIGNIFICANT = re.compile(rf"[{UNSPACED}]|[^\W{UNSPACED}]+|[^\w\s.,;:!?'\"()\[\]*`«»„“”‘’]")
"""A word or a sign that changes what is said; other punctuation does not."""
_NEAR_COPY = 0.9
"""Which share of its sequences of three words a better passage has, too, if it has all of its words."""


@dataclass(frozen=True, slots=True)
class EmbedderInfo:
    """Which model makes the vectors: part of an index, since vectors of two models are never compared."""

    model: str
    dimensions: int
    max_tokens: int
    """How many tokens a text may have."""
    query_prefix: str = ""
    """What the model was trained to see before a question ("search_query: ")."""
    document_prefix: str = ""
    """And before a passage: with another one the vectors are other vectors, so it is part of an index, too."""


@dataclass(frozen=True, slots=True)
class EmbeddingIndex:
    """The vectors of one model, as the database keeps them."""

    id: int
    model: str
    dimensions: int
    max_tokens: int
    is_active: bool = True
    query_prefix: str = ""
    document_prefix: str = ""

    @property
    def embedder(self) -> EmbedderInfo:
        """The model that makes its vectors."""
        return EmbedderInfo(self.model, self.dimensions, self.max_tokens, self.query_prefix, self.document_prefix)


@dataclass(frozen=True, slots=True)
class SearchScope:
    """Where to look: whole collections, and single documents beside them."""

    collections: tuple[UUID, ...] = ()
    documents: tuple[UUID, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to look at."""
        return not self.collections and not self.documents

    @property
    def size(self) -> int:
        """How many collections and documents are named."""
        return len(self.collections) + len(self.documents)


class SearchMode(StrEnum):
    """Which of the searches count; one alone is for measuring."""

    HYBRID = "hybrid"
    VECTOR = "vector"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk that was found, with where it is and why it was found."""

    chunk_id: UUID
    document_id: UUID
    document_owner_id: UUID
    collection_id: UUID
    name: str
    """The document's."""
    heading: str
    page: int
    ordinal: int
    start: int
    end: int
    tokens: int
    text: str
    hash: bytes
    score: float
    vector_rank: int | None = None
    text_rank: int | None = None
    distance: float | None = None
    """Cosine distance of the vectors: 0 is the same, 1 has nothing to do with it."""


@dataclass(frozen=True, slots=True)
class Source:
    """A passage with the number under which a model was shown it."""

    number: int
    passage: Passage


def embedded_text(name: str, heading: str, text: str) -> str:
    """Return what is embedded of a chunk: what it says, and under which title and headings."""
    above = " › ".join(part for part in (_stem(name), heading) if part)
    return f"{above}\n{text}" if above else text


def _stem(name: str) -> str:
    """Return a file's name as words: without its suffix, "annual_report-2024.pdf" says something too."""
    stem = name.rpartition(".")[0] or name
    return " ".join(stem.replace("_", " ").replace("-", " ").split())


def reranked(passages: Sequence[Passage], scores: Sequence[float]) -> list[Passage]:
    """Return the passages in the order of a reranker's scores."""
    ordered = sorted(zip(scores, passages, strict=True), key=lambda pair: -pair[0])
    return [replace(passage, score=score) for score, passage in ordered]


def within_budget(passages: Sequence[Passage], tokens: int) -> list[Passage]:
    """Return the first passages that fit into so many tokens together; never none of them, when there are any."""
    kept: list[Passage] = []
    for passage in passages:
        if kept and sum(item.tokens for item in kept) + passage.tokens > tokens:
            break
        kept.append(passage)
    return kept


def distinct(passages: Sequence[Passage], k: int) -> list[Passage]:
    """Return the first k passages without those that say nothing which a passage before them does not say."""
    kept: list[Passage] = []
    known: list[tuple[set[str], set[tuple[str, ...]]]] = []
    for passage in passages:
        if len(kept) >= k:
            break
        said = _SIGNIFICANT.findall(passage.text.casefold())
        words = set(said)
        runs = set(zip(said, said[1:], said[2:], strict=False)) or {tuple(said)}
        if not any(words <= others and len(runs & of_others) >= _NEAR_COPY * len(runs) for others, of_others in known):
            kept.append(passage)
            known.append((words, runs))
    return kept
