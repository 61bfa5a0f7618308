"""Ollama's API as its official client uses it, with a key."""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import ollama as client_library
import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.api.programs import key_of, program, serving
from tests.api.test_openai import PNG, SEARCH
from tests.peers.scripted_ollama import ScriptedOllama

pytestmark = [pytest.mark.anyio, pytest.mark.without_engine]

HELLO = [{"role": "user", "content": "Hello"}]


@pytest.fixture
async def url(services: Services, settings: Settings) -> AsyncGenerator[str]:
    assert services
    async with serving(settings) as found:
        yield found


@pytest.fixture
async def client(services: Services, current_user: CurrentUser, url: str) -> AsyncGenerator[Any]:
    key = await key_of(services, current_user, "chat")
    headers = {"Authorization": f"Bearer {key}"}
    async with client_library.AsyncClient(host=f"{url}/ollama", headers=headers, trust_env=False) as found:
        yield found


async def test_a_chat_plain_and_streamed(client: Any, ollama: ScriptedOllama) -> None:
    options = {"temperature": 0.5, "num_predict": 9, "num_ctx": 4_000_000, "stop": ["x"]}
    whole = await client.chat("scripted:tokens=3,think=1", HELLO, options=options, format={"type": "object"})
    assert (whole.message.content, whole.message.thinking, whole.done_reason) == ("word " * 3, "thought 0 ", "stop")
    assert (whole.eval_count, whole.prompt_eval_count) == (4, 10)
    asked = ollama.asked[-1]
    assert asked["options"] == {"num_ctx": 8_192, "temperature": 0.5, "num_predict": 9, "stop": ["x"]}
    assert asked["format"] == {"type": "object"}
    parts = [part async for part in await client.chat("scripted:tokens=3", HELLO, stream=True)]
    assert "".join(part.message.content for part in parts) == "word " * 3 and parts[-1].done and not parts[0].done
    generated = await client.generate("scripted:tokens=2", "Hello", system="Be brief", images=[])
    assert generated.response == "word word " and ollama.asked[-1]["messages"][0]["role"] == "system"


async def test_tools_images_models_and_vectors(client: Any, ollama: ScriptedOllama) -> None:
    called = await client.chat("scripted:tokens=2,call=budget", HELLO, tools=[SEARCH])
    [call] = called.message.tool_calls
    assert (call.function.name, call.function.arguments) == ("search_documents", {"query": "budget"})
    answered = [*HELLO, called.message, {"role": "tool", "tool_name": "search_documents", "content": "12"}]
    assert (
        await client.chat("scripted:tokens=2,call=budget", answered, tools=[SEARCH])
    ).message.content == "word word "
    await client.chat("scripted:tokens=2,see=1", [{"role": "user", "content": "What?", "images": [PNG]}])
    assert base64.b64decode(ollama.asked[-1]["messages"][0]["images"][0]) == PNG
    ollama.offered.append("scripted-embed:tokens=256")
    assert [model.model for model in (await client.list()).models] == ["scripted:tokens=20"]
    assert "completion" in (await client.show("scripted:tokens=20")).capabilities
    vectors = await client.embed("scripted-embed:tokens=256", ["one", "two"])
    assert len(vectors.embeddings) == 2 and len(vectors.embeddings[0]) == 64


async def test_errors_are_sentences(client: Any, services: Services, current_user: CurrentUser, url: str) -> None:
    with pytest.raises(client_library.ResponseError) as failed:
        await client.chat("unheard-of", HELLO)
    assert failed.value.status_code == 404
    with pytest.raises(client_library.ResponseError):
        async with aclosing(
            await client.chat("scripted:tokens=9,fault=error-line,at=4,rate=50", HELLO, stream=True)
        ) as parts:
            async for _ in parts:
                pass
    with pytest.raises(client_library.ResponseError) as failed:
        await client.pull("llama3.2")
    assert (failed.value.status_code, failed.value.error) == (404, "This address does not exist.")
    async with program(url, await key_of(services, current_user, "read")) as reader:
        refused = await reader.get("/ollama/api/tags")
        assert (refused.status_code, refused.json()) == (403, {"error": "This key does not have the scope “chat”."})
    async with program(url, await key_of(services, current_user, "chat")) as chatting:
        headers = {"content-type": "application/json"}
        refused = await chatting.post("/ollama/api/chat", content=b"{", headers=headers)
        assert refused.json() == {"error": "The body of the request is not valid JSON."}
    async with program(url, "rxc_wrong") as stranger:
        assert (await stranger.get("/ollama/api/tags")).status_code == 401
