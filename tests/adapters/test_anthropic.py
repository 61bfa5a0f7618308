"""The contract of the ChatModel port, kept by the adapter for Anthropic's API: a scripted server, which shows each fault, and, where
ANTHROPIC_TEST_KEY is set, the real one.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from typing import Any

import anthropic
import httpx2
import pytest

from rxchat.adapters import anthropic_errors
from rxchat.adapters.anthropic_chat import AnthropicChatModel
from rxchat.adapters.anthropic_requests import Abilities, arguments_of, message_bodies
from rxchat.domain.chat import (
    NO_OPTIONS,
    AnswerFinished,
    ChatEvent,
    ChatMessage,
    ChatOptions,
    ReasoningDelta,
    Role,
    TextDelta,
    ToolCall,
    ToolCalled,
    ToolSpec,
)
from rxchat.domain.errors import (
    InvalidModelResponse,
    ModelError,
    ModelHostUnavailable,
    ModelRefused,
    ModelTimeout,
    ModelUnknown,
)
from rxchat.domain.model_parameters import Effort, objection
from tests.peers.scripted_anthropic import ScriptedAnthropic, offered, scripted_anthropic

pytestmark = pytest.mark.anyio

QUESTION = [ChatMessage(Role.USER, "Say hello.")]
SEARCH = ToolSpec("search_documents", "Searches.", {"type": "object", "properties": {"query": {"type": "string"}}})
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32


@pytest.fixture
async def server() -> AsyncGenerator[ScriptedAnthropic]:
    async with scripted_anthropic(key="sk-ant-right") as found:
        yield found


@pytest.fixture
async def model(server: ScriptedAnthropic) -> AsyncGenerator[AnthropicChatModel]:
    found = AnthropicChatModel(server.url, "sk-ant-right", first_token_seconds=60, token_seconds=5)
    yield found
    await found.aclose()


async def answer(
    model: AnthropicChatModel, name: str, messages=QUESTION, tools=(), options: ChatOptions = NO_OPTIONS
) -> list[ChatEvent]:
    return [event async for event in model.chat(name, messages, tools, options)]


def text_of(events: list[ChatEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


async def test_an_answer_is_text_and_ends_with_what_it_took(model: AnthropicChatModel) -> None:
    *pieces, last = await answer(model, "scripted:tokens=20")
    assert len(pieces) == 20 and all(isinstance(piece, TextDelta) for piece in pieces)
    assert isinstance(last, AnswerFinished) and last.reason == "stop"
    assert (last.prompt_tokens, last.answer_tokens) == (10, 20) and last.answer_seconds > 0


async def test_the_real_service_answers() -> None:
    key = os.environ.get("ANTHROPIC_TEST_KEY")
    if not key:
        pytest.skip("ANTHROPIC_TEST_KEY is not set")
    model = AnthropicChatModel("https://api.anthropic.com", key)
    names = [item.name for item in await model.models() if item.can_chat]
    *_, last = await answer(model, names[0])
    assert isinstance(last, AnswerFinished) and last.answer_tokens > 0
    await model.aclose()


async def test_models_are_offered_with_what_they_can_do(server: ScriptedAnthropic, model: AnthropicChatModel) -> None:
    thinking = {"types": {"enabled": {"supported": True}}}
    server.offered = [
        offered("large", image_input=True, thinking=thinking, structured_outputs=True),
        offered("small"),
        offered("old") | {"lifecycle": "retired"},
        {"id": "bare"},
        {"id": 7},
        {"id": "broken", "capabilities": 7, "max_input_tokens": float("inf")},
    ]
    found = {item.name: item for item in await model.models()}
    assert list(found) == ["large", "small", "bare", "broken"]
    assert found["large"].capabilities == {"completion", "tools", "vision", "thinking"}
    assert found["small"].capabilities == {"completion", "tools"} and found["small"].context_tokens == 200_000
    large, small = await model.parameters("large"), await model.parameters("small")
    assert large.names - small.names == {"reasoning_effort", "schema"} and large.efforts == set(Effort)
    assert objection("small", ChatOptions(seed=1), small) is not None
    assert objection("small", ChatOptions(temperature=0.5), small) == (
        "temperature", "small does not take the parameter “Temperature”. Remove it, or choose another model.",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fault", "before", "error", "sentence"),
    [
        ("error-event", 5, InvalidModelResponse, "failed during the answer"),
        ("overloaded", 5, InvalidModelResponse, "failed during the answer"),
        ("cut", 5, InvalidModelResponse, "stopped during the answer"),
        ("no-reason", 5, InvalidModelResponse, "stopped during the answer"),
        ("reset", 5, InvalidModelResponse, "broke during the answer"),
        ("garbage", 5, InvalidModelResponse, "an invalid response"),
        ("not-json-object", 5, InvalidModelResponse, "an invalid response"),
        ("wrong-fields", 5, InvalidModelResponse, "an invalid response"),
        ("deep", 5, InvalidModelResponse, "an invalid response"),
        ("invalid-utf8", 5, InvalidModelResponse, "an invalid response"),
        ("endless-line", 5, InvalidModelResponse, "an invalid response"),
        ("compressed", 0, InvalidModelResponse, "an invalid response"),
        ("refusal", 20, InvalidModelResponse, "content filter"),
        ("silent", 5, ModelTimeout, "did not respond for 5 seconds"),
        ("html-status", 0, ModelError, "failed on its host"),
        ("too-long", 0, ModelRefused, "too long for scripted"),
        ("limited", 0, ModelRefused, "its quota is used up"),
        ("busy", 0, ModelError, "is busy"),
    ],
)
async def test_every_failure_is_ours_and_keeps_what_was_said(
    model: AnthropicChatModel, fault: str, before: int, error: type[ModelError], sentence: str
) -> None:
    said = []
    with pytest.raises(ModelError) as failure:
        async for event in model.chat(f"scripted:fault={fault},at=5", QUESTION):
            said.append(event)
    assert type(failure.value) is error and sentence in failure.value.message
    assert len(said) == before


async def test_an_error_before_the_first_word_is_what_its_kind_says(model: AnthropicChatModel) -> None:
    with pytest.raises(ModelError, match="is busy"):
        await answer(model, "scripted:fault=overloaded,at=0")


async def test_new_events_and_odd_counts_change_nothing(model: AnthropicChatModel) -> None:
    *pieces, last = await answer(model, "scripted:tokens=8,fault=unknown-event")
    assert len(pieces) == 8 and isinstance(last, AnswerFinished)
    for fault, tokens in (("absurd-counts", 1_000_000_000), ("wrong-counts", 1)):
        *_, last = await answer(model, f"scripted:tokens=8,fault={fault}")
        assert isinstance(last, AnswerFinished) and last.answer_tokens == tokens
    *_, last = await answer(model, "scripted:tokens=8,fault=length")
    assert isinstance(last, AnswerFinished) and last.reason == "length"


async def test_an_unknown_model_is_named(model: AnthropicChatModel) -> None:
    with pytest.raises(ModelUnknown, match="The model nope is no longer available"):
        await answer(model, "nope")


async def test_a_wrong_key_is_a_refusal_that_names_no_key(
    server: ScriptedAnthropic, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_PROFILE", "ANTHROPIC_BASE_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/of-the-environment")
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "x-api-key: of-the-environment")
    model = AnthropicChatModel(server.url, "sk-ant-wrong")
    for attempt in (partial(answer, model, "scripted:"), model.models):
        with pytest.raises(ModelRefused, match="refused RxChat's key") as failure:
            await attempt()
        assert "sk-ant-wrong" not in failure.value.message + failure.value.detail
    keyless = AnthropicChatModel(server.url)
    with pytest.raises(ModelRefused):
        await keyless.models()
    assert server.keys == {"sk-ant-wrong", "none"}
    await model.aclose()
    await keyless.aclose()


async def test_a_host_that_is_away_is_named_to_administrators_alone() -> None:
    model = AnthropicChatModel("http://127.0.0.1:9")
    for attempt in (partial(answer, model, "any"), model.models):
        with pytest.raises(ModelHostUnavailable, match=r"^The model host does not respond\. ") as failure:
            await attempt()
        assert failure.value.detail.startswith("http://127.0.0.1:9 does not respond (")
    await model.aclose()


async def test_a_list_without_an_end_is_cut_off(server: ScriptedAnthropic, model: AnthropicChatModel) -> None:
    server.endless_list = True
    with pytest.raises(InvalidModelResponse) as failure:
        await model.models()
    assert "over 16 MB at once" in failure.value.detail


async def test_the_server_notices_that_we_left(server: ScriptedAnthropic, model: AnthropicChatModel) -> None:
    async with aclosing(model.chat("scripted:tokens=100000,rate=100", QUESTION)) as events:
        await anext(events)
        assert server.generating == 1
    async with asyncio.timeout(60):
        while server.generating:
            await asyncio.sleep(0.01)


async def test_reasoning_comes_before_the_text(model: AnthropicChatModel) -> None:
    events = await answer(model, "scripted:think=3,tokens=2")
    assert [type(event) for event in events] == [ReasoningDelta] * 3 + [TextDelta] * 2 + [AnswerFinished]


async def test_a_tool_is_called_in_pieces_and_its_result_names_the_call(
    server: ScriptedAnthropic, model: AnthropicChatModel
) -> None:
    called, last = await answer(model, "scripted:call=leave", QUESTION, [SEARCH])
    assert called == ToolCalled(ToolCall("search_documents", {"query": "leave"}, "toolu_01A09q90"))
    assert isinstance(last, AnswerFinished) and last.reason == "stop" and isinstance(called, ToolCalled)
    asked = [
        *QUESTION,
        ChatMessage(Role.ASSISTANT, "", tool_calls=(called.call,)),
        ChatMessage(Role.TOOL, "31 days", tool_name="search_documents"),
    ]
    assert text_of(await answer(model, "scripted:call=leave,tokens=2", asked, [SEARCH])) == "word word "
    use, result = server.asked[-1]["messages"][1]["content"][0], server.asked[-1]["messages"][2]["content"][0]
    assert use["id"] == result["tool_use_id"] == "toolu_01A09q90" and result["content"] == "31 days"
    with pytest.raises(InvalidModelResponse):
        await answer(model, "scripted:call=leave,fault=endless-arguments", QUESTION, [SEARCH])


def test_results_of_calls_are_in_one_message_and_name_the_call_of_their_tool() -> None:
    calls = (ToolCall("search", {}), ToolCall("read", {}), ToolCall("search", {"query": "x"}))
    results = [ChatMessage(Role.TOOL, name, tool_name=name) for name in ("read", "search", "search")]
    asking, answering = message_bodies([ChatMessage(Role.ASSISTANT, " ", tool_calls=calls), *results])
    ids = [part["id"] for part in asking["content"]]
    assert len(set(ids)) == 3
    assert [part["tool_use_id"] for part in answering["content"]] == [ids[1], ids[0], ids[2]]


async def test_instructions_pictures_and_options_are_sent_in_the_apis_form(
    server: ScriptedAnthropic, model: AnthropicChatModel
) -> None:
    server.offered = [offered("scripted:tokens=1", structured_outputs=True)]
    asked = [
        ChatMessage(Role.SYSTEM, "Be brief."),
        ChatMessage(Role.SYSTEM, "Be kind."),
        ChatMessage(Role.USER, "What is this?", images=(PNG,)),
    ]
    schema: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
    options = ChatOptions(max_tokens=7, stop=("END",), schema=schema)
    await answer(model, "scripted:tokens=1", asked, options=options)
    sent = server.asked[-1]
    assert sent["system"] == "Be brief.\n\nBe kind." and [item["role"] for item in sent["messages"]] == ["user"]
    picture, text = sent["messages"][0]["content"]
    assert text == {"type": "text", "text": "What is this?"}
    assert picture["source"]["media_type"] == "image/png" and picture["source"]["data"].startswith("iVBOR")
    assert (sent["max_tokens"], sent["stop_sequences"]) == (7, ["END"])
    assert sent["output_config"] == {"format": {"type": "json_schema", "schema": schema}}
    with pytest.raises(ModelRefused, match="only by a schema"):
        await answer(model, "scripted:tokens=1", options=ChatOptions(schema={}))


async def test_a_begun_answer_is_continued_in_words(server: ScriptedAnthropic, model: AnthropicChatModel) -> None:
    begun = [*QUESTION, ChatMessage(Role.ASSISTANT, "1 2 3 ")]
    assert text_of(await answer(model, "scripted:tokens=5,count=1", begun)) == "4 5 "
    assert server.asked[-1]["messages"][-1]["role"] == "user"


def test_reasoning_is_set_in_the_way_that_the_model_takes() -> None:
    def asked(can: Abilities, messages=QUESTION, **options: Any) -> dict[str, Any]:
        return arguments_of(messages, (), ChatOptions(**options), can)

    budget = Abilities(most_tokens=64_000, thinking=frozenset({"enabled"}))
    adaptive = Abilities(efforts=frozenset({"low", "medium", "high"}), thinking=frozenset({"adaptive", "disabled"}))
    assert asked(budget, reasoning_effort="low")["thinking"] == {"type": "enabled", "budget_tokens": 2_048}
    assert asked(budget, reasoning_effort="high", max_tokens=3_000)["thinking"]["budget_tokens"] == 1_500
    assert "thinking" not in asked(budget, reasoning_effort="high", max_tokens=100)
    found = asked(adaptive, reasoning_effort="high")
    assert found["thinking"]["type"] == "adaptive" and found["output_config"] == {"effort": "high"}
    assert asked(adaptive, reasoning_effort="none")["thinking"] == {"type": "disabled"}
    assert "thinking" not in asked(adaptive) and asked(adaptive)["max_tokens"] == 8_192
    # The thoughts before a call are not kept, and would have to be sent back.
    calling = ChatMessage(Role.ASSISTANT, "", tool_calls=(ToolCall("search", {}, "a"),))
    after = [*QUESTION, calling, ChatMessage(Role.TOOL, "x", tool_name="search")]
    assert "thinking" not in asked(budget, after, reasoning_effort="low")


@pytest.mark.parametrize("begun", [[], [True]], ids=["before a word", "after some"])
def test_every_error_that_the_client_can_raise_is_translated(begun: list[bool]) -> None:
    kinds = [
        kind
        for library, base in ((httpx2, httpx2.HTTPError), (anthropic, anthropic.AnthropicError))
        for kind in list(vars(library).values())
        if isinstance(kind, type) and issubclass(kind, base)
    ]
    assert len(kinds) > 30
    request = httpx2.Request("POST", "http://127.0.0.1:1/v1/messages")
    for kind in kinds:
        error = kind.__new__(kind)
        # What the client sets on those of its errors that came from an answer.
        vars(error).update(status_code=500, body=None, message="", request=request)
        with pytest.raises(ModelError), anthropic_errors.translated("http://127.0.0.1:1", "m", begun):
            raise error
