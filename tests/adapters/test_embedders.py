"""Embedders: Ollama's protocol as a daemon speaks it (scripted and embedded), and OpenAI's."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncGenerator

import pytest

from rxchat.adapters.embedders.ollama import OllamaEmbeddingModel
from rxchat.adapters.embedders.openai import OpenAIEmbeddingModel, OpenAIReranker
from rxchat.domain.errors import EmbedderError, TextRefused, TextTooLong
from rxchat.domain.retrieval import EmbedderInfo
from tests.embedded_models import EmbeddedModels
from tests.peers.canned_http import answer, canned_http
from tests.peers.scripted_ollama import ScriptedOllama

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["scripted", "embedded"])
async def embedder(
    request: pytest.FixtureRequest, ollama: ScriptedOllama, models: EmbeddedModels
) -> AsyncGenerator[OllamaEmbeddingModel]:
    ollama.offered = ["scripted:tokens=1", "scripted-embed:tokens=256"]
    found = OllamaEmbeddingModel([ollama.host if request.param == "scripted" else models.host])
    yield found
    await found.aclose()


def near(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


async def test_what_means_the_same_is_near(embedder: OllamaEmbeddingModel) -> None:
    info = await embedder.info()
    question, fits, other = await embedder.embed(
        ["Who cleans the coffee machine?", "The coffee machine is cleaned on Fridays.", "Turn left behind the church."],
        info,
    )
    assert len(question) == info.dimensions
    assert near(question, fits) > near(question, other) + 0.1
    for vector in (question, fits, other):
        assert math.isclose(near(vector, vector), 1.0, rel_tol=1e-3)


async def test_a_text_is_never_cut_in_silence(embedder: OllamaEmbeddingModel) -> None:
    assert (await embedder.info()).max_tokens == 256
    with pytest.raises(TextTooLong):
        await embedder.embed(["fine", "word " * 400], await embedder.info())


async def test_an_empty_text_has_a_vector_too(embedder: OllamaEmbeddingModel) -> None:
    assert len((await embedder.embed([""], await embedder.info()))[0]) == (await embedder.info()).dimensions


async def test_without_an_embedding_model_it_says_what_to_do(ollama: ScriptedOllama) -> None:
    for name, words in (("", "Install one"), ("nomic-embed-text", "nomic-embed-text")):
        embedder = OllamaEmbeddingModel([ollama.host], name)
        with pytest.raises(EmbedderError, match=words):
            await embedder.info()
        await embedder.aclose()


async def test_the_host_that_has_the_model_is_the_one_that_is_asked(ollama: ScriptedOllama) -> None:
    ollama.offered = ["scripted-embed:tokens=256"]
    embedder = OllamaEmbeddingModel(["http://127.0.0.1:9", ollama.host], "scripted-embed:tokens=256")
    assert len(await embedder.embed(["a"], await embedder.info())) == 1
    await embedder.aclose()


@pytest.mark.parametrize("fault", ["html", "short", "not-numbers", "infinite", "500"])
async def test_whatever_else_it_answers_is_a_failure_in_our_words(ollama: ScriptedOllama, fault: str) -> None:
    ollama.offered = [f"scripted-embed:tokens=256,fault={fault}"]
    embedder = OllamaEmbeddingModel([ollama.host])
    with pytest.raises(EmbedderError) as failed:
        await embedder.embed(["a"], await embedder.info())
    assert failed.value.message[0].isupper()
    await embedder.aclose()


async def test_the_model_that_is_in_force_stays_where_nobody_has_named_another(ollama: ScriptedOllama) -> None:
    ollama.offered = ["scripted-embed:dimensions=32", "scripted-embed:tokens=256"]
    for prefer, chosen in (("scripted-embed:tokens=256", 64), ("gone", 32), ("", 32)):
        embedder = OllamaEmbeddingModel([ollama.host])
        assert (await embedder.info(prefer)).dimensions == chosen
        await embedder.aclose()


async def test_a_host_that_is_away_changes_no_model(ollama: ScriptedOllama) -> None:
    ollama.offered = ["scripted-embed:dimensions=32"]
    embedder = OllamaEmbeddingModel(["http://127.0.0.1:9", ollama.host])
    with pytest.raises(EmbedderError, match="does not respond"):
        await embedder.info("scripted-embed:tokens=256")
    assert (await embedder.info("scripted-embed:dimensions=32")).dimensions == 32
    await embedder.aclose()


async def test_two_calls_that_fail_together_fail_in_our_words(ollama: ScriptedOllama) -> None:
    ollama.offered = ["scripted-embed:tokens=256"]
    embedder = OllamaEmbeddingModel([ollama.host])
    info = await embedder.info()
    await ollama.stop()
    failed = await asyncio.gather(*(embedder.embed(["a"], info) for _ in range(3)), return_exceptions=True)
    assert [type(error) for error in failed] == [EmbedderError] * 3
    await embedder.aclose()


async def test_what_is_refused_is_told_from_who_is_away(ollama: ScriptedOllama) -> None:
    ollama.offered = ["scripted-embed:tokens=256,refuse=never"]
    embedder = OllamaEmbeddingModel([ollama.host])
    info = await embedder.info()
    with pytest.raises(TextRefused):
        await embedder.embed(["a", "never ever"], info)
    assert len(await embedder.embed(["a"], info)) == 1
    await embedder.aclose()


async def test_vectors_are_made_by_just_the_model_that_is_asked_for(ollama: ScriptedOllama) -> None:
    ollama.offered = ["scripted-embed:dimensions=32", "scripted-embed:tokens=256"]
    embedder = OllamaEmbeddingModel([ollama.host])
    other = EmbedderInfo("scripted-embed:tokens=256", 64, 256)
    assert (await embedder.info()).dimensions == 32
    assert len((await embedder.embed(["a"], other))[0]) == 64
    with pytest.raises(EmbedderError, match="64 dimensions"):
        await embedder.embed(["a"], EmbedderInfo("scripted-embed:tokens=256", 32, 256))
    ollama.offered = ["scripted-embed:dimensions=32"]
    with pytest.raises(EmbedderError):
        await embedder.embed(["a"], EmbedderInfo("scripted-embed:dimensions=48", 48, 256))
    await embedder.aclose()


async def test_a_host_that_is_away_is_said_and_comes_back(ollama: ScriptedOllama) -> None:
    ollama.offered = ["scripted-embed:tokens=256"]
    embedder = OllamaEmbeddingModel([ollama.host])
    await ollama.stop()
    with pytest.raises(EmbedderError, match="does not respond"):
        await embedder.info()
    await ollama.start()
    assert len(await embedder.embed(["a", "b"], await embedder.info())) == 2
    await embedder.aclose()


def as_json(told: object) -> bytes:
    return answer(200, json.dumps(told).encode(), "application/json")


async def test_openais_way_of_saying_the_same() -> None:
    def embedded(_request: str, body: bytes) -> bytes:
        texts = json.loads(body)["input"]
        rows = [{"index": number, "embedding": [3.0, 4.0 + number]} for number in range(len(texts))]
        return as_json({"data": rows[::-1]})

    with canned_http(embedded) as server:
        embedder = OpenAIEmbeddingModel(f"{server.endpoint}/v1/", "m", "key", 512)
        assert await embedder.info() == EmbedderInfo("m", 2, 512)
        first, second = await embedder.embed(["a", "b"], await embedder.info())
        assert first == [0.6, 0.8]
        assert second[1] > first[1]
        assert {head.split()[1] for head, _ in server.heard} == {"/v1/embeddings"}
        await embedder.aclose()


@pytest.mark.parametrize(
    ("status", "told", "kind"),
    [
        (400, {"error": {"message": "This model's maximum context length is 512 tokens."}}, TextTooLong),
        (400, {"error": {"message": "Invalid 'input': maximum input length is 8192 tokens."}}, TextTooLong),
        (413, {"error": "Input validation error: `inputs` must have less than 512 tokens. Given: 513"}, TextTooLong),
        (400, {"error": {"message": "input is larger than the max context size. skipping"}}, TextTooLong),
        (400, {"error": {"message": "The input contains what we do not take."}}, TextRefused),
        (401, {"error": {"message": "Incorrect API key provided."}}, EmbedderError),
        (200, {"data": [{"embedding": None}]}, EmbedderError),
        (200, {"data": 7}, EmbedderError),
        (200, [], EmbedderError),
        (503, "loading", EmbedderError),
    ],
)
async def test_what_is_no_vector_is_a_failure_in_our_words(status: int, told: object, kind: type[Exception]) -> None:
    with canned_http(lambda *_: answer(status, json.dumps(told).encode(), "application/json")) as server:
        embedder = OpenAIEmbeddingModel(server.endpoint, "m", "", 512)
        with pytest.raises(kind):
            await embedder.info()
        await embedder.aclose()


async def test_a_reranker_says_a_score_for_each_or_nothing() -> None:
    results = [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.1}]
    with canned_http(lambda *_: as_json({"results": results})) as server:
        reranker = OpenAIReranker(server.endpoint, "m", "")
        assert await reranker.scores("q", ["a", "b"]) == [0.1, 0.9]
        with pytest.raises(EmbedderError):
            await reranker.scores("q", ["a", "b", "c"])
        await reranker.aclose()
