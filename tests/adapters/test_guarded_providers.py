"""Providers that administrators add: nothing goes to another server than theirs, and no key comes back in what they say."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rxchat.adapters import known_secrets
from rxchat.adapters.anthropic_chat import AnthropicChatModel
from rxchat.adapters.ollama import OllamaChatModel
from rxchat.adapters.openai_chat import OpenAIChatModel
from rxchat.domain.chat import ChatMessage, Role
from rxchat.domain.errors import ModelError
from rxchat.domain.ports import ChatModel
from tests.peers.canned_http import answer, canned_http

pytestmark = pytest.mark.anyio

KEY, HEADERS = "sk-of-this-test", {"X-Api-Key": "a-secret-header"}
LIST = b'{"models": [{"model": "m", "name": "m"}], "data": [{"id": "m"}]}'
"""The list of one model, as each of the APIs has it."""


def ollama(url: str) -> ChatModel:
    return OllamaChatModel([url], headers=HEADERS | {"Authorization": f"Bearer {KEY}"}, is_guarded=True)


def openai(url: str) -> ChatModel:
    return OpenAIChatModel(f"{url}/v1", KEY, headers=HEADERS, is_guarded=True)


def anthropic(url: str) -> ChatModel:
    return AnthropicChatModel(url, KEY, headers=HEADERS, is_guarded=True)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("client", [ollama, openai, anthropic])
async def test_neither_question_nor_headers_follow_a_redirect(client: Callable[[str], ChatModel], status: int) -> None:
    heard: list[str] = []

    def redirect(head: str, body: bytes) -> bytes:
        if head.startswith("GET") and not is_moved:
            return answer(200, LIST, "application/json")
        heard.append(body.decode())
        return answer(status, Location=f"{thief.endpoint}/api/chat")

    is_moved = False
    with (
        canned_http(lambda _head, _body: answer(200, LIST, "application/json")) as thief,
        canned_http(redirect) as provider,
    ):
        model = client(provider.endpoint)
        assert [item.name for item in await model.models()] == ["m"]
        with pytest.raises(ModelError):
            async for _ in model.chat("m", [ChatMessage(Role.USER, "A private question")]):
                pass
        assert any("A private question" in body for body in heard)
        is_moved = True
        with pytest.raises(ModelError):
            await model.models()
        await model.aclose()
        assert thief.heard == []


async def test_a_key_is_hidden_with_and_without_the_word_before_it() -> None:
    model = ollama("http://127.0.0.1:9")
    said = known_secrets.without_secrets(f"invalid key {KEY}; was: Bearer {KEY}; header a-secret-header")
    assert said == "invalid key •••; was: •••; header •••"
    await model.aclose()
    assert known_secrets.without_secrets(KEY) == KEY
