"""OpenAI's API as its official client uses it: plain and streamed, tools, schemas, images, usage, errors, and what is refused."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any

import httpx
import openai
import psycopg
import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.api.programs import CALLER, key_of, serving
from tests.factories import add_user
from tests.peers.scripted_ollama import ScriptedOllama
from tests.security.http import create_user

pytestmark = [pytest.mark.anyio, pytest.mark.without_engine]

HELLO = [{"role": "user", "content": "Hello"}]
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SEARCH = {
    "type": "function",
    "function": {
        "name": "search_documents",
        "description": "Search",
        "parameters": {"type": "object", "properties": {"query": {"type": "string"}}},
    },
}


@pytest.fixture
async def url(services: Services, settings: Settings) -> AsyncGenerator[str]:
    assert services
    async with serving(settings) as found:
        yield found


def client_of(url: str, key: str, *, is_strict: bool = True) -> Any:
    """A client that checks responses against its own types, which forbid what OpenAI sends in a few places."""
    return openai.AsyncOpenAI(
        base_url=f"{url}/v1", api_key=key, max_retries=0, timeout=60, _strict_response_validation=is_strict
    )


@pytest.fixture
async def client(services: Services, current_user: CurrentUser, url: str) -> AsyncGenerator[Any]:
    async with client_of(url, await key_of(services, current_user, "chat")) as found:
        yield found


async def test_a_completion_is_whole_and_keeps_nothing(client: Any, ollama: ScriptedOllama, owner_url: str) -> None:
    found = await client.chat.completions.create(
        model="scripted:tokens=5,think=2",
        messages=[{"role": "developer", "content": "Be brief"}, *HELLO],
        temperature=0.5, top_p=0.9, seed=7, stop=["\n\n"], max_completion_tokens=50, presence_penalty=1, user="me",
        response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}},
    )  # fmt: skip
    [choice] = found.choices
    assert (choice.message.content, choice.finish_reason) == ("word " * 5, "stop")
    assert getattr(choice.message, "reasoning_content") == "thought 0 thought 1 "  # noqa: B009
    assert found.usage and (found.usage.prompt_tokens, found.usage.completion_tokens, found.usage.total_tokens) == (
        10,
        7,
        17,
    )
    asked = ollama.asked[-1]
    assert asked["messages"] == [{"role": "system", "content": "Be brief"}, {"role": "user", "content": "Hello"}]
    assert asked["format"] == {"type": "object"}
    del asked["options"]["num_ctx"]
    assert asked["options"] == {
        "temperature": 0.5, "top_p": 0.9, "presence_penalty": 1.0, "seed": 7, "num_predict": 50, "stop": ["\n\n"],
    }  # fmt: skip
    with psycopg.connect(owner_url) as connection:
        for table in ("conversation", "message", "run", "conversation_event"):
            assert connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() == (0,)


async def test_a_stream_arrives_word_by_word_with_its_usage(client: Any, ollama: ScriptedOllama) -> None:
    stream = await client.chat.completions.create(
        model="scripted:tokens=6,hold=3", messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    text, reasons, usage = "", [], None
    async for chunk in stream:
        usage = chunk.usage or usage
        for choice in chunk.choices:
            text += choice.delta.content or ""
            reasons += [choice.finish_reason] if choice.finish_reason else []
        if text == "word " * 3 and ollama.held._value == 0 and ollama.generating:
            ollama.go_on()
    assert (text, reasons) == ("word " * 6, ["stop"])
    assert usage and usage.completion_tokens == 6


async def test_several_choices_are_written_at_once(client: Any) -> None:
    found = await client.chat.completions.create(model="scripted:tokens=3", messages=HELLO, n=3)
    assert [(item.index, item.message.content) for item in found.choices] == [(at, "word " * 3) for at in range(3)]
    assert found.usage and found.usage.completion_tokens == 9
    texts = ["", "", ""]
    async for chunk in await client.chat.completions.create(
        model="scripted:tokens=3", messages=HELLO, n=3, stream=True
    ):
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
    assert texts == ["word " * 3] * 3


async def test_a_model_calls_a_tool_and_gets_its_result(client: Any, ollama: ScriptedOllama) -> None:
    model = "scripted:tokens=2,call=budget"
    first = await client.chat.completions.create(model=model, messages=HELLO, tools=[SEARCH])
    [call] = first.choices[0].message.tool_calls or []
    assert first.choices[0].finish_reason == "tool_calls" and call.type == "function"
    assert (call.function.name, call.function.arguments) == ("search_documents", '{"query": "budget"}')
    said = first.choices[0].message.model_dump(exclude_none=True, exclude={"reasoning_content", "refusal"})
    result = {"role": "tool", "tool_call_id": call.id, "content": "12 euros"}
    second = await client.chat.completions.create(model=model, messages=[*HELLO, said, result], tools=[SEARCH])
    assert second.choices[0].message.content == "word word "
    assert [item["role"] for item in ollama.asked[-1]["messages"]] == ["user", "assistant", "tool"]
    assert ollama.asked[-1]["messages"][2]["tool_name"] == "search_documents"
    names = [
        call.function.name
        async for chunk in await client.chat.completions.create(
            model=model, messages=HELLO, tools=[SEARCH], stream=True
        )
        for choice in chunk.choices
        for call in choice.delta.tool_calls or []
        if call.function
    ]
    assert names == ["search_documents"]
    await client.chat.completions.create(model=model, messages=HELLO, tools=[SEARCH], tool_choice="none")
    assert "tools" not in ollama.asked[-1]


async def test_images_are_sent_as_data_and_never_fetched(client: Any, ollama: ScriptedOllama) -> None:
    async def ask(address: str) -> None:
        parts = [{"type": "text", "text": "What?"}, {"type": "image_url", "image_url": {"url": address}}]
        await client.chat.completions.create(
            model="scripted:tokens=2,see=1", messages=[{"role": "user", "content": parts}]
        )

    # Larger than what is read of clients without a key.
    picture = PNG + bytes(2_000_000)
    await ask(f"data:image/png;base64,{base64.b64encode(picture).decode()}")
    assert base64.b64decode(ollama.asked[-1]["messages"][0]["images"][0]) == picture
    count = len(ollama.asked)
    for address in (f"{ollama.host}/api/tags", "file:///etc/passwd", "data:image/png;base64,%%%", "data:text/html,x"):
        with pytest.raises(openai.BadRequestError, match="image"):
            await ask(address)
    assert len(ollama.asked) == count


async def test_errors_have_the_form_that_the_client_knows(
    services: Services, client: Any, url: str, current_user: CurrentUser, owner_url: str
) -> None:
    refused = {
        "logprobs": True,
        "logit_bias": {"50256": -100},
        "tool_choice": "required",
        "functions": [{"name": "f"}],
        "modalities": ["text", "audio"],
        "response_format": {"type": "grammar"},
        "frobnicate": 1,
    }
    for name, value in refused.items():
        with pytest.raises(openai.BadRequestError) as failed:
            await client.chat.completions.create(model="scripted:tokens=2", messages=HELLO, extra_body={name: value})
        assert (failed.value.code, failed.value.param, failed.value.type) == (
            "unsupported_parameter", name, "invalid_request_error",
        )  # fmt: skip
    with pytest.raises(openai.BadRequestError):
        await client.chat.completions.create(model="scripted:tokens=2", messages=HELLO, temperature=3)
    with pytest.raises(openai.NotFoundError) as failed:
        await client.chat.completions.create(model="unheard-of", messages=HELLO)
    assert (failed.value.code, failed.value.type) == ("model_unknown", "not_found_error")
    with pytest.raises(openai.InternalServerError) as failed:
        await client.chat.completions.create(model="scripted:fault=error-line,at=2", messages=HELLO)
    assert str(failed.value.code).startswith("model_")
    async with client_of(url, "rxc_wrong") as stranger:
        with pytest.raises(openai.AuthenticationError):
            await stranger.models.list()
    async with client_of(url, await key_of(services, current_user, "read")) as reader:
        with pytest.raises(openai.PermissionDeniedError, match="“chat”"):
            await reader.chat.completions.create(model="scripted:tokens=2", messages=HELLO)
    guest = await create_user(services, owner_url, "Gus", "guest")
    with pytest.raises(Exception, match="may not use this model"):
        await services.chat.completions.require(guest, "scripted:tokens=2")


async def test_a_failure_in_the_middle_of_a_stream_is_an_error_of_the_client(client: Any) -> None:
    text = ""
    with pytest.raises(openai.APIError):
        async for chunk in await client.chat.completions.create(
            model="scripted:tokens=9,fault=error-line,at=4,rate=20", messages=HELLO, stream=True
        ):
            text += chunk.choices[0].delta.content or ""
    assert text == "word " * 4


@pytest.mark.parametrize("is_stream", [True, False])
async def test_a_client_that_leaves_stops_the_model(
    services: Services, current_user: CurrentUser, url: str, ollama: ScriptedOllama, is_stream: bool
) -> None:
    key = await key_of(services, current_user, "chat")
    body = {"model": "scripted:tokens=100000,rate=50", "messages": HELLO, "stream": is_stream}
    async with httpx.AsyncClient(base_url=url, headers={"authorization": f"Bearer {key}"}, timeout=60) as http:
        asking = asyncio.create_task(http.post("/v1/chat/completions", json=body))
        async with asyncio.timeout(30):
            while ollama.generating < 1:
                await asyncio.sleep(0.01)
            asking.cancel()
            while ollama.generating or services.chat.completions._running:
                await asyncio.sleep(0.01)


async def test_a_suspended_users_stream_ends_within_seconds(
    services: Services, url: str, owner_url: str, ollama: ScriptedOllama
) -> None:
    boss, member = await create_user(services, owner_url, "Boss", "admin"), await create_user(services, owner_url)
    async with client_of(url, await key_of(services, member, "chat")) as client:
        with pytest.raises(openai.APIError):
            async with asyncio.timeout(8):
                stream = await client.chat.completions.create(
                    model="scripted:tokens=100000,rate=50", messages=HELLO, stream=True
                )
                async for _ in stream:
                    await services.access.user_admin.suspend(boss, member.user_id, CALLER, is_suspended=True)
    async with asyncio.timeout(30):
        while ollama.generating:
            await asyncio.sleep(0.01)


async def test_a_user_has_so_many_answers_at_once(
    services: Services, current_user: CurrentUser, client: Any, url: str, owner_url: str
) -> None:
    endless = {"model": "scripted:tokens=100000,rate=20", "messages": HELLO, "stream": True}
    streams = [await client.chat.completions.create(**endless) for _ in range(4)]
    with pytest.raises(openai.RateLimitError) as failed:
        await client.chat.completions.create(model="scripted:tokens=2", messages=HELLO)
    assert failed.value.response.headers["retry-after"] == "2"
    async with client_of(url, await key_of(services, add_user(owner_url, "Bea"), "chat")) as other:
        assert await other.chat.completions.create(model="scripted:tokens=2", messages=HELLO)
    for stream in streams:
        await stream.close()
    async with asyncio.timeout(30):
        while services.chat.completions._running[current_user.user_id]:
            await asyncio.sleep(0.01)
    assert await client.chat.completions.create(model="scripted:tokens=2", messages=HELLO)


async def test_completions_answer_prompts(services: Services, current_user: CurrentUser, client: Any, url: str) -> None:
    found = await client.completions.create(model="scripted:tokens=3", prompt=["One", "Two"], n=2, max_tokens=9)
    assert [item.text for item in found.choices] == ["word " * 3] * 4
    assert {item.finish_reason for item in found.choices} == {"stop"} and found.usage
    text = ""
    async with client_of(url, await key_of(services, current_user, "chat"), is_strict=False) as lenient:
        async for chunk in await lenient.completions.create(model="scripted:tokens=3", prompt="One", stream=True):
            text += chunk.choices[0].text
    assert text == "word " * 3
    for name, value in (("suffix", "x"), ("echo", True), ("best_of", 2), ("logprobs", 1)):
        with pytest.raises(openai.BadRequestError):
            await client.completions.create(model="scripted:tokens=3", prompt="One", extra_body={name: value})


async def test_models_and_vectors(
    services: Services, current_user: CurrentUser, client: Any, url: str, ollama: ScriptedOllama
) -> None:
    ollama.offered.append("scripted-embed:tokens=256")
    names = [model.id async for model in client.models.list()]
    assert names == ["scripted:tokens=20", "scripted-embed:tokens=256"]
    assert (await client.models.retrieve(names[0])).id == names[0]
    with pytest.raises(openai.NotFoundError):
        await client.models.retrieve("gpu/nothing")
    # The client asks for base64 by itself.
    async with client_of(url, await key_of(services, current_user, "chat"), is_strict=False) as lenient:
        packed = await lenient.embeddings.create(model=names[1], input=["one word", "two words"])
    plain = await client.embeddings.create(model=names[1], input="one word", encoding_format="float")
    assert [item.index for item in packed.data] == [0, 1] and len(packed.data[0].embedding) == 64
    assert packed.data[0].embedding == pytest.approx(plain.data[0].embedding, abs=1e-6)
    with pytest.raises(openai.NotFoundError):
        await client.embeddings.create(model=names[0], input="x")
    with pytest.raises(openai.BadRequestError) as failed:
        await client.embeddings.create(model=names[1], input="word " * 300)
    assert failed.value.code == "text_too_long"
    with pytest.raises(openai.BadRequestError):
        await client.embeddings.create(model=names[1], input=[[1, 2, 3]])


async def test_hostile_bodies_are_refused_with_a_sentence(
    services: Services, current_user: CurrentUser, url: str
) -> None:
    key = await key_of(services, current_user, "chat")
    deep = b'{"model": "x", "messages": ' + b"[" * 30_000 + b"]" * 30_000 + b"}"
    bodies = {
        b"{": 400, b"": 400, b"[]": 400, b"\xff": 400, deep: 400,
        b'{"model": "x", "messages": [], "seed": ' + b"9" * 5_000 + b"}": 400,
        b'{"model": "x", "messages": [{"role": "user", "content": 1e999}]}': 400,
        b'{"model": "x", "messages": [{"role": "user", "content": "x"}], "\\ud800": 1}': 400,
        b'{"model": "\\u0000", "messages": [{"role": "user", "content": "\\u0000"}]}': 404,
        b"[" + b"1," * 400_000 + b"1]": 413,
    }  # fmt: skip
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as http:
        for path in ("/v1/chat/completions", "/v1/completions", "/v1/embeddings"):
            for body, status in bodies.items():
                answer = await http.post(path, content=body)
                assert answer.status_code in {status, 400}, (path, body[:40], answer.text)
                assert answer.json()["error"]["message"].endswith("."), answer.text
        with suppress(httpx.WriteError, httpx.ReadError):
            # The connection is closed, since it is not read.
            assert (await http.post("/v1/embeddings", content=b" " * 20_000_001)).status_code == 413
        # A large body without a key is not read.
        large = await http.post(
            "/v1/chat/completions", content=b" " * 100_000, headers={"authorization": "Bearer rxc_wrong"}
        )
        assert large.status_code == 401
        assert (await http.get("/v1/nowhere")).json()["error"]["code"] == "not_found"
