"""The prefixes that embedding models were trained with, from their model cards; queries and passages differ.

Two settings replace them for models that are not listed here (RXCHAT_EMBEDDING_QUERY_PREFIX,
RXCHAT_EMBEDDING_DOCUMENT_PREFIX).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

NO_PREFIX = "none"
"""The value of a setting for "no prefix": an empty one counts as not set."""

_TASK = "Given a web search query, retrieve relevant passages that answer the query"
_SEARCHING = "Represent this sentence for searching relevant passages: "


@dataclass(frozen=True, slots=True)
class Prefixes:
    """The prefixes of queries and of passages."""

    query: str = ""
    document: str = ""

    def replaced(self, query: str | None, document: str | None) -> Prefixes:
        """Return the prefixes with those of the settings in place of the built-in ones."""
        return Prefixes(_set(query, self.query), _set(document, self.document))


# The first pattern that matches a model's name applies, so special versions come before their family.
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
        # Ollama's library names the English model without its language.
        (r"(?:^|/)bge-large(?::|$)", Prefixes(_SEARCHING)),
    )
)


def prefixes_of(model: str) -> Prefixes:
    """Return the prefixes of a model by its name; empty ones for unknown models."""
    return next((prefixes for pattern, prefixes in _FAMILIES if pattern.search(model)), Prefixes())


def _set(setting: str | None, known: str) -> str:
    if setting is None:
        return known
    return "" if setting.strip().lower() == NO_PREFIX else setting.replace("\\n", "\n")
