"""The contract of the ChatModel port, kept by the adapter with every daemon at hand.

The scripted daemon shows each fault; the embedded one and, where OLLAMA_TEST_HOST names it, a real one show that the
scripts tell the truth.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import aiohttp
import httpx
import pytest

from rxchat.adapters import ollama_errors, ollama_stream
from rxchat.adapters.ollama import OllamaChatModel
from rxchat.adapters.ollama_hosts import host as hosts
from rxchat.domain.chat import AnswerFinished, ChatMessage, ModelInfo, ReasoningDelta, Role, TextDelta
from rxchat.domain.errors import (
    InvalidModelResponse,
    ModelError,
    ModelHostUnavailable,
    ModelRefused,
    ModelTimeout,
    ModelUnknown,
)
from tests.embedded_models import EmbeddedModels
from tests.peers.scripted_ollama import ScriptedOllama

pytestmark = pytest.mark.anyio

QUESTION = [ChatMessage(Role.USER, "Say hello.")]


@dataclass
class Daemon:
    """A daemon and two of its models: one that answers briefly and one that goes on and on."""

    host: str
    brief: str
    endless: str
    is_scripted: bool = False


@pytest.fixture(params=["scripted", "embedded", "real"])
async def daemon(request: pytest.FixtureRequest, ollama: ScriptedOllama) -> Daemon:
    match request.param:
        case "scripted":
            return Daemon(ollama.host, "scripted:tokens=20", "scripted:tokens=100000,rate=100", is_scripted=True)
        case "embedded":
            found: EmbeddedModels = request.getfixturevalue("models")
            return Daemon(found.host, "smollm2:135m", "smollm2:135m")
        case _:
            host, model = os.environ.get("OLLAMA_TEST_HOST"), os.environ.get("OLLAMA_TEST_MODEL", "llama3.2")
            if not host:
                pytest.skip("OLLAMA_TEST_HOST names no real daemon")
            return Daemon(host, model, model)


@pytest.fixture
async def model(daemon: Daemon) -> AsyncGenerator[OllamaChatModel]:
    found = OllamaChatModel([daemon.host], first_token_seconds=60, token_seconds=30)
    yield found
    await found.aclose()


async def answer(model: OllamaChatModel, name: str, messages=QUESTION) -> list:
    return [event async for event in model.chat(name, messages)]


async def test_an_answer_is_text_and_ends_with_what_it_took(model: OllamaChatModel, daemon: Daemon) -> None:
    *pieces, last = await answer(model, daemon.brief)
    assert pieces and all(isinstance(piece, TextDelta) for piece in pieces)
    assert isinstance(last, AnswerFinished) and last.reason in {"stop", "length"}
    assert last.answer_tokens > 0 and last.answer_seconds > 0 and last.prompt_tokens > 0


async def test_the_models_on_offer_can_be_asked(model: OllamaChatModel, daemon: Daemon) -> None:
    offered = {item.name: item for item in await model.models()}
    assert offered
    assert all(item.host == daemon.host and not item.is_demo for item in offered.values())
    chat_models = [name for name, item in offered.items() if item.can_chat]
    assert daemon.brief in chat_models or f"{daemon.brief}:latest" in chat_models


async def test_an_unknown_model_is_named_with_how_to_get_it(model: OllamaChatModel) -> None:
    with pytest.raises(ModelUnknown, match="The model nope is no longer installed"):
        await answer(model, "nope")


async def test_a_saved_beginning_is_continued_and_not_repeated(model: OllamaChatModel, daemon: Daemon) -> None:
    begun = "Once upon a time there was a small green"
    saved = [ChatMessage(Role.USER, "Tell a story."), ChatMessage(Role.ASSISTANT, begun)]
    text = ""
    # So far that a beginning that is repeated would be there.
    async with aclosing(model.chat(daemon.brief, saved)) as events:
        async for event in events:
            text += event.text if isinstance(event, TextDelta) else ""
            if len(text) > 2 * len(begun):
                break
    assert text and begun not in text


async def test_closing_our_side_frees_the_model(model: OllamaChatModel, daemon: Daemon) -> None:
    long = [ChatMessage(Role.USER, "Write a very long story about the sea, with many chapters.")]
    for _ in range(3):
        # More than the slots that the daemon has: each would wait for the one before if that still ran.
        async with asyncio.timeout(60), aclosing(model.chat(daemon.endless, long)) as events:
            async for _event in events:
                break
    async with asyncio.timeout(60):
        assert await answer(model, daemon.brief)


async def test_two_are_answered_side_by_side(model: OllamaChatModel, daemon: Daemon) -> None:
    first, second = await asyncio.gather(answer(model, daemon.brief), answer(model, daemon.brief))
    assert isinstance(first[-1], AnswerFinished) and isinstance(second[-1], AnswerFinished)


async def test_more_than_a_hundred_are_answered_side_by_side(ollama: ScriptedOllama) -> None:
    model = OllamaChatModel([ollama.host])
    answers = [asyncio.create_task(answer(model, "scripted:tokens=1,first=600")) for _ in range(120)]
    async with asyncio.timeout(60):
        while ollama.generating < len(answers):
            await asyncio.sleep(0.02)
        # Nor does who only looks wait behind them.
        assert await model.models()
    for asked in answers:
        asked.cancel()
    await asyncio.gather(*answers, return_exceptions=True)
    await model.aclose()


@pytest.fixture
async def scripted(ollama: ScriptedOllama) -> AsyncGenerator[OllamaChatModel]:
    found = OllamaChatModel([ollama.host], first_token_seconds=20, token_seconds=1)
    yield found
    await found.aclose()


@pytest.mark.parametrize(
    ("fault", "error", "sentence"),
    [
        ("error-line", InvalidModelResponse, "failed during the answer"),
        ("cut", InvalidModelResponse, "stopped during the answer"),
        ("reset", InvalidModelResponse, "broke during the answer"),
        ("garbage", InvalidModelResponse, "an invalid response"),
        ("not-json-object", InvalidModelResponse, "an invalid response"),
        ("wrong-fields", InvalidModelResponse, "an invalid response"),
        ("absurd-counts", InvalidModelResponse, "an invalid response"),
        ("silent", ModelTimeout, "did not respond for 1 seconds"),
        ("html-status", ModelError, "failed on its host"),
        ("refused", ModelRefused, "refused this request"),
    ],
)
async def test_every_failure_is_ours_and_keeps_what_was_said(
    scripted: OllamaChatModel, fault: str, error: type[ModelError], sentence: str
) -> None:
    said = []
    with pytest.raises(ModelError) as failure:
        async for event in scripted.chat(f"scripted:fault={fault},at=5", QUESTION):
            said.append(event)
    assert type(failure.value) is error and sentence in failure.value.message
    assert len(said) == (0 if fault in {"html-status", "refused"} else 5)


async def test_a_model_that_takes_too_long_to_begin_is_silent(ollama: ScriptedOllama) -> None:
    ollama.offered = ["scripted:first=60"]
    model = OllamaChatModel([ollama.host], first_token_seconds=0.4)
    with pytest.raises(ModelTimeout, match=r"did not respond for 0\.4 seconds"):
        await answer(model, "scripted:first=60")
    await model.aclose()


async def test_nobody_at_the_host_is_said_with_its_address_to_administrators_alone() -> None:
    model = OllamaChatModel(["http://127.0.0.1:9"])
    for attempt in (answer(model, "any"), model.models()):
        with pytest.raises(ModelHostUnavailable, match=r"^The model host does not respond\. ") as failure:
            await attempt
        assert "127.0.0.1" not in failure.value.message
        assert failure.value.detail.startswith("http://127.0.0.1:9 does not respond (")
    await model.aclose()


async def test_credentials_of_a_host_are_sent_and_never_said(ollama: ScriptedOllama) -> None:
    with_credentials = ollama.host.replace("://", "://team:s3cret%21@")
    model = OllamaChatModel([with_credentials], demo_hosts=[with_credentials])
    (offered,) = await model.models()
    assert (offered.host, offered.is_demo) == (ollama.host, True)
    assert ollama.credentials == "team:s3cret!"
    await ollama.stop()
    with pytest.raises(ModelHostUnavailable) as failure:
        await answer(model, "scripted:tokens=20")
    assert "s3cret" not in failure.value.detail and ollama.host in failure.value.detail
    await model.aclose()


async def test_a_host_may_be_behind_a_path() -> None:
    asked: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readline()).decode().split()[1])
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        model = OllamaChatModel([f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/ollama/"])
        (host,) = await model._pool.ready()
        host.models["m"] = ModelInfo("m", host.name)
        with pytest.raises(ModelHostUnavailable):
            await answer(model, "m")
        with pytest.raises(ModelHostUnavailable):
            await model.models()
        await model.aclose()
    assert set(asked) == {"/ollama/api/show", "/ollama/api/chat", "/ollama/api/ps", "/ollama/api/tags"}


async def test_a_host_that_takes_no_connection_is_away_and_not_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nobody(*_arguments: object, **_options: object) -> None:
        raise aiohttp.ConnectionTimeoutError

    monkeypatch.setattr(aiohttp.ClientSession, "_request", nobody)
    model = OllamaChatModel(["http://10.255.255.1:11434"])
    (host,) = await model._pool.ready()
    host.models["m"] = ModelInfo("m", host.name)
    monkeypatch.setattr(hosts, "LOOK_SECONDS", 0.1)
    with pytest.raises(ModelHostUnavailable) as failure:
        await answer(model, "m")
    assert "10.255.255.1" in failure.value.detail
    await model.aclose()


async def test_without_any_host_the_setting_is_named() -> None:
    with pytest.raises(ModelHostUnavailable, match="OLLAMA_HOSTS"):
        await answer(OllamaChatModel([]), "any")


async def test_a_host_that_is_back_answers_again(ollama: ScriptedOllama) -> None:
    model = OllamaChatModel([ollama.host])
    await ollama.stop()
    with pytest.raises(ModelHostUnavailable):
        await answer(model, "scripted:")
    await ollama.start()
    assert isinstance((await answer(model, "scripted:"))[-1], AnswerFinished)
    await model.aclose()


async def test_one_host_of_several_being_away_hides_only_its_own_models(ollama: ScriptedOllama) -> None:
    model = OllamaChatModel(["http://127.0.0.1:9", ollama.host], demo_hosts=[ollama.host])
    offered = await model.models()
    assert [item.name for item in offered] == ["scripted:tokens=20"] and offered[0].is_demo
    assert isinstance((await answer(model, "scripted:tokens=20"))[-1], AnswerFinished)
    await model.aclose()


async def test_thinking_comes_as_reasoning_before_the_text(scripted: OllamaChatModel) -> None:
    events = await answer(scripted, "scripted:think=3,tokens=2")
    assert [type(event) for event in events] == [ReasoningDelta] * 3 + [TextDelta] * 2 + [AnswerFinished]


async def test_a_line_of_two_million_characters_arrives_whole(scripted: OllamaChatModel) -> None:
    events = await answer(scripted, "scripted:fault=big-line")
    assert max(len(event.text) for event in events if isinstance(event, TextDelta)) == 2_000_000


async def test_the_daemon_notices_that_we_left(ollama: ScriptedOllama, scripted: OllamaChatModel) -> None:
    async with aclosing(scripted.chat("scripted:tokens=1000,rate=100", QUESTION)) as events:
        await anext(events)
        assert ollama.generating == 1
    async with asyncio.timeout(60):
        while ollama.generating:
            await asyncio.sleep(0.01)


async def test_a_line_without_an_end_is_cut_off_before_it_fills_the_memory(scripted: OllamaChatModel) -> None:
    with pytest.raises(InvalidModelResponse) as failure:
        await answer(scripted, "scripted:tokens=20,fault=endless-line")
    assert "a line of over 4 MB" in failure.value.detail


def test_counts_beyond_all_measure_are_cut() -> None:
    (event,) = ollama_stream._events(
        b'{"done": true, "eval_count": 5000000000, "eval_duration": -7, "load_duration": 1e30}'
    )
    assert event == AnswerFinished(reason="stop", answer_tokens=1_000_000_000, load_seconds=1_000_000.0)


@pytest.mark.parametrize("begun", [[], [True]], ids=["before a word", "after some"])
def test_every_error_that_the_clients_can_raise_is_translated(begun: list[bool]) -> None:
    kinds = [
        kind
        for library, base in ((httpx, httpx.RequestError), (aiohttp, aiohttp.ClientError))
        for kind in vars(library).values()
        if isinstance(kind, type) and issubclass(kind, base)
    ]
    assert len(kinds) > 30
    for kind in kinds:
        with pytest.raises(ModelError), ollama_errors.translated("http://127.0.0.1:1", "m", begun):
            # Each has arguments of its own, and none of them matters here.
            raise kind.__new__(kind)
