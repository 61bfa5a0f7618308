"""What embedding models want to see before queries and passages, by the names under which people have them."""

from __future__ import annotations

import pytest

from rxchat.domain.embedder_prefixes import Prefixes, prefixes_of

SEARCHING = "Represent this sentence for searching relevant passages: "
TASK = "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery:"


@pytest.mark.parametrize(
    ("model", "query", "document"),
    [
        ("nomic-embed-text:latest", "search_query: ", "search_document: "),
        ("nomic-embed-text-v2-moe:latest", "search_query: ", "search_document: "),
        ("hf.co/nomic-ai/nomic-embed-text-v1.5-GGUF:Q8_0", "search_query: ", "search_document: "),
        ("mxbai-embed-large:335m", SEARCHING, ""),
        ("jeffh/intfloat-multilingual-e5-large:f16", "query: ", "passage: "),
        ("intfloat/e5-mistral-7b-instruct", f"{TASK} ", ""),
        ("qwen3-embedding:0.6b", TASK, ""),
        ("hf.co/Qwen/Qwen3-Embedding-8B-GGUF:Q4_K_M", TASK, ""),
        ("embeddinggemma:300m", "task: search result | query: ", "title: none | text: "),
        ("snowflake-arctic-embed:335m", SEARCHING, ""),
        ("snowflake-arctic-embed2:568m", "query: ", ""),
        ("bge-large:335m", SEARCHING, ""),
        ("BAAI/bge-small-en-v1.5", SEARCHING, ""),
        ("bge-m3:567m", "", ""),
        ("all-minilm:22m", "", ""),
        ("text-embedding-3-large", "", ""),
        ("granite-embedding:278m", "", ""),
    ],
)
def test_a_model_gets_its_own_prefixes(model: str, query: str, document: str) -> None:
    assert prefixes_of(model) == Prefixes(query, document)


def test_a_setting_replaces_them_and_can_say_that_there_are_none() -> None:
    known = Prefixes("query: ", "passage: ")
    assert known.replaced(None, None) == known
    assert known.replaced("Instruct: x\\nQuery: ", "none") == Prefixes("Instruct: x\nQuery: ", "")
