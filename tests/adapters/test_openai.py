"""The contract of the ChatModel port, kept by the adapter for servers with OpenAI's API: a scripted one, which shows each fault, and,
where OPENAI_TEST_URL names it, a real one.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

import httpx2
import openai
import pytest

from rxchat.adapters import openai_errors
from rxchat.adapters.model_providers import ModelProviders
from rxchat.adapters.ollama import OllamaChatModel
from rxchat.adapters.openai_chat import OpenAIChatModel
from rxchat.adapters.openai_requests import message_bodies
from rxchat.domain.chat import (
    AnswerFinished,
    ChatEvent,
    ChatMessage,
    ReasoningDelta,
    Role,
    TextDelta,
    ToolCall,
    ToolCalled,
    ToolSpec,
)
from rxchat.domain.continuation import continuation_prompt
from rxchat.domain.errors import (
    InvalidModelResponse,
    ModelError,
    ModelHostUnavailable,
    ModelRefused,
    ModelTimeout,
    ModelUnknown,
)
from rxchat.domain.ports import ChatModel
from tests.peers.scripted_ollama import ScriptedOllama
from tests.peers.scripted_openai import ScriptedOpenAI, scripted_openai

pytestmark = pytest.mark.anyio

QUESTION = [ChatMessage(Role.USER, "Say hello.")]
SEARCH = ToolSpec("search_documents", "Searches.", {"type": "object", "properties": {"query": {"type": "string"}}})
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32


@pytest.fixture
async def server() -> AsyncGenerator[ScriptedOpenAI]:
    async with scripted_openai(key="sk-right") as found:
        yield found


@pytest.fixture
async def model(server: ScriptedOpenAI) -> AsyncGenerator[OpenAIChatModel]:
    found = OpenAIChatModel(server.url, "sk-right", first_token_seconds=60, token_seconds=5)
    yield found
    await found.aclose()


async def answer(model: ChatModel, name: str, messages=QUESTION, tools=()) -> list[ChatEvent]:
    return [event async for event in model.chat(name, messages, tools)]


def text_of(events: list[ChatEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


async def test_an_answer_is_text_and_ends_with_what_it_took(model: OpenAIChatModel) -> None:
    *pieces, last = await answer(model, "scripted:tokens=20")
    assert len(pieces) == 20 and all(isinstance(piece, TextDelta) for piece in pieces)
    assert isinstance(last, AnswerFinished) and last.reason == "stop"
    assert (last.prompt_tokens, last.answer_tokens) == (10, 20) and last.answer_seconds > 0


async def test_a_real_server_answers() -> None:
    url, name = os.environ.get("OPENAI_TEST_URL"), os.environ.get("OPENAI_TEST_MODEL", "")
    if not url:
        pytest.skip("OPENAI_TEST_URL names no real server")
    model = OpenAIChatModel(url, os.environ.get("OPENAI_TEST_KEY", ""))
    assert name in [item.name for item in await model.models() if item.can_chat]
    *_, last = await answer(model, name)
    assert isinstance(last, AnswerFinished) and last.answer_tokens > 0
    await model.aclose()


async def test_models_for_chat_are_offered_with_their_contexts(server: ScriptedOpenAI, model: OpenAIChatModel) -> None:
    server.offered = [
        {"id": "scripted:tokens=20", "object": "model", "max_model_len": 4096},
        {"id": "vendor/large", "context_length": float("inf")},
        {"id": "text-embedding-3-small"},
        {"id": "gpt-4o-transcribe"},
        {"id": ""},
        {"id": 7},
    ]
    offered = {item.name: item for item in await model.models()}
    assert [name for name, item in offered.items() if item.can_chat] == ["scripted:tokens=20", "vendor/large"]
    assert offered["scripted:tokens=20"].context_tokens == 4096
    assert not any(item.remote_host or item.is_demo for item in offered.values())


def test_models_of_services_elsewhere_are_marked_so() -> None:
    assert (
        OpenAIChatModel("https://user:secret@api.example.com/v1")._info({"id": "gpt"}).remote_host == "api.example.com"
    )
    assert (
        OpenAIChatModel("https://user:secret@api.example.com/v1")._info({"id": "gpt"}).host
        == "https://api.example.com/v1"
    )
    assert OpenAIChatModel("http://gpu-1:8000/v1")._info({"id": "gpt"}).remote_host == ""


@pytest.mark.parametrize(
    ("fault", "error", "sentence"),
    [
        ("error-event", InvalidModelResponse, "failed during the answer"),
        ("cut", InvalidModelResponse, "stopped during the answer"),
        ("no-reason", InvalidModelResponse, "stopped during the answer"),
        ("reset", InvalidModelResponse, "broke during the answer"),
        ("garbage", InvalidModelResponse, "an invalid response"),
        ("not-json-object", InvalidModelResponse, "an invalid response"),
        ("wrong-fields", InvalidModelResponse, "an invalid response"),
        ("endless-line", InvalidModelResponse, "an invalid response"),
        ("endless-event", InvalidModelResponse, "an invalid response"),
        ("compressed", InvalidModelResponse, "an invalid response"),
        ("filter", InvalidModelResponse, "content filter"),
        ("silent", ModelTimeout, "did not respond for 5 seconds"),
        ("html-status", ModelError, "failed on its host"),
        ("refused", ModelRefused, "refused this request"),
        ("too-long", ModelRefused, "too long for scripted"),
        ("limited", ModelRefused, "its quota is used up"),
    ],
)
async def test_every_failure_is_ours_and_keeps_what_was_said(
    model: OpenAIChatModel, fault: str, error: type[ModelError], sentence: str
) -> None:
    said = []
    with pytest.raises(ModelError) as failure:
        async for event in model.chat(f"scripted:fault={fault},at=5", QUESTION):
            said.append(event)
    assert type(failure.value) is error and sentence in failure.value.message
    before = {"compressed": 0, "html-status": 0, "refused": 0, "too-long": 0, "limited": 0, "filter": 20}
    assert len(said) == before.get(fault, 5)


async def test_an_unknown_model_is_named(model: OpenAIChatModel) -> None:
    with pytest.raises(ModelUnknown, match="The model nope is no longer available"):
        await answer(model, "nope")


async def test_a_wrong_key_is_a_refusal_that_names_no_key(server: ScriptedOpenAI) -> None:
    model = OpenAIChatModel(server.url, "sk-wrong")
    for attempt in (answer(model, "scripted:"), model.models()):
        with pytest.raises(ModelRefused, match="refused RxChat's key") as failure:
            await attempt
        assert "sk-wrong" not in failure.value.message + failure.value.detail
    assert server.keys == {"Bearer sk-wrong"}
    await model.aclose()


async def test_nobody_at_the_host_is_said_with_its_address_to_administrators_alone() -> None:
    model = OpenAIChatModel("http://127.0.0.1:9/v1")
    for attempt in (answer(model, "any"), model.models()):
        with pytest.raises(ModelHostUnavailable, match=r"^The model host does not respond\. ") as failure:
            await attempt
        assert failure.value.detail.startswith("http://127.0.0.1:9/v1 does not respond (")
    await model.aclose()


async def test_a_model_that_takes_too_long_to_begin_is_silent(server: ScriptedOpenAI) -> None:
    model = OpenAIChatModel(server.url, "sk-right", first_token_seconds=0.4)
    with pytest.raises(ModelTimeout, match=r"did not respond for 0\.4 seconds"):
        await answer(model, "scripted:first=60")
    await model.aclose()


async def test_a_list_without_an_end_is_cut_off_before_it_fills_the_memory(
    server: ScriptedOpenAI, model: OpenAIChatModel
) -> None:
    server.endless_list = True
    with pytest.raises(InvalidModelResponse) as failure:
        await model.models()
    assert "over 16 MB at once" in failure.value.detail


async def test_the_server_notices_that_we_left(server: ScriptedOpenAI, model: OpenAIChatModel) -> None:
    async with aclosing(model.chat("scripted:tokens=100000,rate=100", QUESTION)) as events:
        await anext(events)
        assert server.generating == 1
    async with asyncio.timeout(60):
        while server.generating:
            await asyncio.sleep(0.01)


async def test_reasoning_comes_before_the_text(model: OpenAIChatModel) -> None:
    events = await answer(model, "scripted:think=3,tokens=2")
    assert [type(event) for event in events] == [ReasoningDelta] * 3 + [TextDelta] * 2 + [AnswerFinished]


async def test_an_answer_at_its_limit_says_so_and_absurd_counts_are_cut(model: OpenAIChatModel) -> None:
    *_, last = await answer(model, "scripted:tokens=8,fault=length")
    assert isinstance(last, AnswerFinished) and last.reason == "length"
    *_, last = await answer(model, "scripted:tokens=8,fault=absurd-counts")
    assert isinstance(last, AnswerFinished) and last.answer_tokens == 1_000_000_000


async def test_odd_characters_arrive_as_they_were_sent(model: OpenAIChatModel) -> None:
    assert "a\x00b" in text_of(await answer(model, "scripted:tokens=8,fault=nul"))


async def test_a_tool_is_called_in_pieces_and_its_result_names_the_call(
    server: ScriptedOpenAI, model: OpenAIChatModel
) -> None:
    called, last = await answer(model, "scripted:call=leave", QUESTION, [SEARCH])
    assert called == ToolCalled(ToolCall("search_documents", {"query": "leave"}, "call_1o8cb8oy"))
    assert isinstance(last, AnswerFinished) and last.reason == "stop"
    assert isinstance(called, ToolCalled)
    asked = [
        *QUESTION,
        ChatMessage(Role.ASSISTANT, "", tool_calls=(called.call,)),
        ChatMessage(Role.TOOL, "31 days", tool_name="search_documents"),
    ]
    assert text_of(await answer(model, "scripted:call=leave,tokens=2", asked, [SEARCH])) == "word word "
    sent = server.asked[-1]["messages"]
    assert sent[1]["tool_calls"][0]["id"] == sent[2]["tool_call_id"] == "call_1o8cb8oy"


def test_results_of_calls_without_ids_name_the_call_of_their_tool() -> None:
    calls = (ToolCall("search", {}), ToolCall("read", {}), ToolCall("search", {"query": "x"}))
    results = [ChatMessage(Role.TOOL, name, tool_name=name) for name in ("read", "search", "search")]
    bodies = message_bodies([ChatMessage(Role.ASSISTANT, "", tool_calls=calls), *results])
    ids = [call["id"] for call in bodies[0]["tool_calls"]]
    assert len(set(ids)) == 3
    assert [body["tool_call_id"] for body in bodies[1:]] == [ids[1], ids[0], ids[2]]


async def test_pictures_are_sent_in_the_message(server: ScriptedOpenAI, model: OpenAIChatModel) -> None:
    await answer(model, "scripted:tokens=1", [ChatMessage(Role.USER, "What is this?", images=(PNG,))])
    text, picture = server.asked[-1]["messages"][0]["content"]
    assert text == {"type": "text", "text": "What is this?"}
    assert picture["image_url"]["url"].startswith("data:image/png;base64,iVBOR")


async def test_asked_in_words_an_answer_goes_on(model: OpenAIChatModel) -> None:
    asked = continuation_prompt(QUESTION, "1 2 3 ")
    assert text_of(await answer(model, "scripted:tokens=5,count=1", asked)) == "4 5 "


async def test_a_conversation_that_is_longer_than_the_context_loses_its_oldest_messages(
    server: ScriptedOpenAI, model: OpenAIChatModel
) -> None:
    server.offered = [{"id": "scripted:tokens=1", "max_model_len": 600}]
    long = [ChatMessage(role, "word " * 100) for role in (Role.USER, Role.ASSISTANT) * 5]
    await answer(model, "scripted:tokens=1", [*long, *QUESTION])
    sent = server.asked[-1]["messages"]
    assert len(sent) < len(long) and sent[0]["role"] == "user" and sent[-1]["content"] == "Say hello."


async def test_models_of_several_providers_are_asked_by_their_full_names(
    server: ScriptedOpenAI, ollama: ScriptedOllama, model: OpenAIChatModel
) -> None:
    ollama.offered = ["scripted:tokens=3", "hf.co/team/scripted:tokens=4"]
    away = OpenAIChatModel("http://127.0.0.1:9/v1")
    providers = ModelProviders(OllamaChatModel([ollama.host]), {"gpu": model, "away": away})
    names = [item.name for item in await providers.models()]
    assert names == ["scripted:tokens=3", "hf.co/team/scripted:tokens=4", "gpu/scripted:tokens=20"]
    assert len(await answer(providers, "gpu/scripted:tokens=20")) == 21
    assert server.asked[-1]["model"] == "scripted:tokens=20"
    assert len(await answer(providers, "scripted:tokens=3")) == 4
    with pytest.raises(ModelError):
        # A name of Ollama with a slash is no provider.
        await answer(providers, "hf.co/team/scripted:tokens=4")
    assert ollama.asked[-1]["model"] == "hf.co/team/scripted:tokens=4"
    assert not await providers.is_loading("gpu/scripted:tokens=20")
    assert providers.hosts_heard_since(0) == [ollama.host]
    # One that is restarted keeps its models: a conversation must not go to another provider meanwhile.
    await server.stop()
    providers._offers["gpu"] = replace(providers._offers["gpu"], asked_at=float("-inf"))
    assert [item.name for item in await providers.models()] == names
    await ollama.stop()
    with pytest.raises(ModelHostUnavailable):
        await providers.models()
    await providers.aclose()
    unreachable = ModelProviders(
        OllamaChatModel(["http://127.0.0.1:9"]), {"away": OpenAIChatModel("http://127.0.0.1:9/v1")}
    )
    with pytest.raises(ModelHostUnavailable):
        await unreachable.models()
    await unreachable.aclose()


@pytest.mark.parametrize("begun", [[], [True]], ids=["before a word", "after some"])
def test_every_error_that_the_client_can_raise_is_translated(begun: list[bool]) -> None:
    kinds = [
        kind
        for library, base in ((httpx2, httpx2.HTTPError), (openai, openai.OpenAIError))
        for kind in list(vars(library).values())
        if isinstance(kind, type) and issubclass(kind, base)
    ]
    assert len(kinds) > 30
    request = httpx2.Request("POST", "http://127.0.0.1:1/v1/chat/completions")
    for kind in kinds:
        error = kind.__new__(kind)
        # What the client sets on those of its errors that came from an answer.
        vars(error).update(status_code=500, body=None, message="", request=request)
        with pytest.raises(ModelError), openai_errors.translated("http://127.0.0.1:1", "m", begun):
            raise error
