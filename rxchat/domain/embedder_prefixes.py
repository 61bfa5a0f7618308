"""The prefixes that embedding models were trained with, from their model cards; a query has another one than a passage.

A setting replaces them (RXCHAT_EMBEDDING_QUERY_PREFIX, RXCHAT_EMBEDDING_DOCUMENT_PREFIX), for models that are not here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

NO_PREFIX = "none"
"""How a setting says that there is no prefix: an empty one counts as not set."""

_TASK = "Given a web search query, retrieve relevant passages that answer the query"
_SEARCHING = "Represent this sentence for searching relevant passages: "


@dataclass(frozen=True, slots=True)
class Prefixes:
    """What is written before a query, and before a passage."""

    query: str = ""
    document: str = ""

    def replaced(self, query: str | None, document: str | None) -> Prefixes:
        """Return these, or what a setting says instead."""
        return Prefixes(_set(query, self.query), _set(document, self.document))


# The first pattern that fits a model's name counts: special versions stand before their family.
_FAMILIES: tuple[tuple[re.Pattern[str], Prefixes], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), prefixes)
    for pattern, prefixes in (
        (r"nomic-embed-code", Prefixes("Represent this query for searching relevant code: ")),
        (r"nomic-embed|nomic-bert|modernbert-embed", Prefixes("search_query: ", "search_document: ")),
        (r"mxbai-embed", Prefixes(_SEARCHING)),
        (r"snowflake-arctic-embed(?:2|-[ml]-v2)", Prefixes("query: ")),
        (r"snowflake-arctic-embed", Prefixes(_SEARCHING)),
        (r"e5-mistral|e5-[a-z]+-instruct|linq-embed|sfr-embedding", Prefixes(f"Instruct: {_TASK}\nQuery: ")),
        (r"\be5\b", Prefixes("query: ", "passage: ")),
        (r"qwen3-embedding", Prefixes(f"Instruct: {_TASK}\nQuery:")),
        (r"gte-qwen2", Prefixes(f"Instruct: {_TASK}\nQuery: ")),
        (r"embeddinggemma|embedding-gemma", Prefixes("task: search result | query: ", "title: none | text: ")),
        (r"bge-(?:small|base|large)-en", Prefixes(_SEARCHING)),
        # Ollama's library calls the English one without its language.
        (r"(?:^|/)bge-large(?::|$)", Prefixes(_SEARCHING)),
    )
)


def prefixes_of(model: str) -> Prefixes:
    """Return the prefixes of a model by its name; none for a model that has none, or is unknown."""
    return next((prefixes for pattern, prefixes in _FAMILIES if pattern.search(model)), Prefixes())


def _set(setting: str | None, known: str) -> str:
    if setting is None:
        return known
    return "" if setting.strip().lower() == NO_PREFIX else setting.replace("\\n", "\n")
