"""Finding passages: the values that pass between a question, the index and the model."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EmbedderInfo:
    """Which model makes the vectors: part of an index, since vectors of two models are never compared."""

    model: str
    dimensions: int
    max_tokens: int
    """How many tokens a text may have."""
