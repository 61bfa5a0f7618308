"""Retrieval: the values that pass between a query, the index and the model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from rxchat.domain.tokenizing import UNSPACED

MOST_DIMENSIONS = 4_000
"""The maximum for pgvector's HNSW index on halfvec."""
EXACT_CHUNKS = 20_000
"""Smaller search scopes are searched exactly, larger ones with the HNSW index (decision 0011)."""
CANDIDATES = 60
"""How many results each of the two searches contributes before fusion."""
FUSION = 60
"""The constant of reciprocal rank fusion: 1 / (60 + rank), summed (Cormack, Clarke, Büttcher, SIGIR 2009)."""
_SIGNIFICANT = re.compile(rf"[{UNSPACED}]|[^\W{UNSPACED}]+|[^\w\s.,;:!?'\"()\[\]*`«»„“”‘’]")
"""A word or a sign that changes the meaning; other punctuation does not."""
_NEAR_COPY = 0.9
"""A passage is a near copy of a better one that has all of its words and this share of its sequences of three words."""


@dataclass(frozen=True, slots=True)
class EmbedderInfo:
    """The model that computes vectors: part of an index, since vectors of two models cannot be compared."""

    model: str
    dimensions: int
    max_tokens: int
    """The maximum number of tokens of a text."""
    query_prefix: str = ""
    """The prefix of queries that the model was trained with ("search_query: ")."""
    document_prefix: str = ""
    """The prefix of passages. Another prefix yields other vectors, so it is part of the index."""


@dataclass(frozen=True, slots=True)
class EmbeddingIndex:
    """The vectors of one model in the database."""

    id: int
    model: str
    dimensions: int
    max_tokens: int
    is_active: bool = True
    query_prefix: str = ""
    document_prefix: str = ""

    @property
    def embedder(self) -> EmbedderInfo:
        """The model that computes its vectors."""
        return EmbedderInfo(self.model, self.dimensions, self.max_tokens, self.query_prefix, self.document_prefix)


@dataclass(frozen=True, slots=True)
class SearchScope:
    """What a search covers: whole collections, and single documents."""

    collections: tuple[UUID, ...] = ()
    documents: tuple[UUID, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether it covers nothing."""
        return not self.collections and not self.documents

    @property
    def size(self) -> int:
        """The number of collections and documents."""
        return len(self.collections) + len(self.documents)


class SearchMode(StrEnum):
    """Which searches are used; a single one is for measurements."""

    HYBRID = "hybrid"
    VECTOR = "vector"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk that a search found, with its position and the reason."""

    chunk_id: UUID
    document_id: UUID
    document_owner_id: UUID
    collection_id: UUID
    name: str
    """The document's name."""
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
    """The cosine distance of the vectors: 0 is the same, 1 is unrelated."""


@dataclass(frozen=True, slots=True)
class Source:
    """A passage with the number under which a model was shown it."""

    number: int
    passage: Passage


@dataclass(frozen=True, slots=True)
class ShownSource:
    """A source of an answer, as far as a user may see it now."""

    number: int
    name: str
    heading: str
    page: int
    start: int
    end: int
    text: str
    hash: bytes
    document_id: UUID
    score: float
    is_cited: bool
    is_there: bool
    """Whether its document still exists."""
    is_allowed: bool
    """Whether the user may still read it; otherwise its text is left out."""


def embedded_text(name: str, heading: str, text: str) -> str:
    """Return the text to embed for a chunk: its title, headings and text."""
    above = " › ".join(part for part in (_stem(name), heading) if part)
    return f"{above}\n{text}" if above else text


def _stem(name: str) -> str:
    """Return a file's name as words, without its suffix: "annual_report-2024.pdf" carries meaning, too."""
    stem = name.rpartition(".")[0] or name
    return " ".join(stem.replace("_", " ").replace("-", " ").split())


def reranked(passages: Sequence[Passage], scores: Sequence[float]) -> list[Passage]:
    """Return the passages sorted by a reranker's scores."""
    ordered = sorted(zip(scores, passages, strict=True), key=lambda pair: -pair[0])
    return [replace(passage, score=score) for score, passage in ordered]


def within_budget(passages: Sequence[Passage], tokens: int) -> list[Passage]:
    """Return the first passages that fit into `tokens` together; at least one, if there are any."""
    kept: list[Passage] = []
    for passage in passages:
        if kept and sum(item.tokens for item in kept) + passage.tokens > tokens:
            break
        kept.append(passage)
    return kept


def distinct(passages: Sequence[Passage], k: int) -> list[Passage]:
    """Return the first k passages, without those that add nothing to the passages before them."""
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
