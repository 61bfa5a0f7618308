"""Model hosts as people have them: proxies, names, slow loading, cloud models, long conversations."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncGenerator

import pytest

from rxchat.adapters.embedders.http_client import Endpoint
from rxchat.adapters.ollama import OllamaChatModel
from rxchat.adapters.outgoing_proxies import proxy_for
from rxchat.domain.chat import AnswerFinished, ChatMessage, ChatOptions, Role, TextDelta
from rxchat.domain.errors import ModelRefused, ModelTimeout
from tests.peers.scripted_ollama import ScriptedOllama

pytestmark = pytest.mark.anyio

QUESTION = [ChatMessage(Role.USER, "Say hello.")]


@pytest.fixture
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
async def model(ollama: ScriptedOllama) -> AsyncGenerator[OllamaChatModel]:
    found = OllamaChatModel([ollama.host], first_token_seconds=1, token_seconds=2, allows_remote=False)
    yield found
    await found.aclose()


async def generating(ollama: ScriptedOllama, count: int) -> None:
    """Wait until the host has so many answers to write."""
    async with asyncio.timeout(60):
        while ollama.generating < count:
            await asyncio.sleep(0.01)


async def answer(model: OllamaChatModel, name: str, messages=QUESTION) -> str:
    events = [event async for event in model.chat(name, messages)]
    assert isinstance(events[-1], AnswerFinished)
    return "".join(event.text for event in events if isinstance(event, TextDelta))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:11434", "http://localhost:11434", "http://[::1]:11434", "http://10.1.2.3", "http://192.168.1.9",
        "http://172.16.5.4:80", "http://[fd00::1]", "http://[::ffff:10.0.0.1]", "http://169.254.1.1", "http://ollama:11434",
        "http://models.local", "http://gpu.internal", "http://box.lan:11434", "https://127.0.0.1",
    ],
)  # fmt: skip
@pytest.mark.usefixtures("no_proxies")
def test_no_proxy_is_used_for_a_host_of_this_network(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://proxy.example:3128")
    assert proxy_for(url) is None


@pytest.mark.usefixtures("no_proxies")
def test_a_host_elsewhere_is_reached_by_the_proxy_that_the_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    assert proxy_for("http://models.example.org:11434") is None
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "near.example.org")
    assert proxy_for("http://models.example.org:11434") == "http://proxy.example:3128"
    assert proxy_for("http://8.8.8.8") == "http://proxy.example:3128"
    assert proxy_for("http://near.example.org") is proxy_for("https://models.example.org") is None


@pytest.mark.usefixtures("no_proxies")
async def test_listing_asking_and_embedding_pass_a_proxy_by(
    ollama: ScriptedOllama, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    ollama.offered = ["scripted:tokens=1", "scripted-embed:tokens=256"]
    model, embedder = OllamaChatModel([ollama.host]), Endpoint(ollama.host, "The embedder")
    assert len(await model.models()) == 2
    assert await answer(model, "scripted:tokens=1") == "word "
    assert await embedder.get("/api/tags")
    await model.aclose()
    await embedder.aclose()


async def test_localhost_is_tried_by_both_of_its_addresses(
    ollama: ScriptedOllama, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The daemon listens on 127.0.0.1 alone, and the name is ::1 first.
    resolve = socket.getaddrinfo

    def both(host, port, *more, **options):
        if host not in {"localhost", b"localhost"}:
            return resolve(host, port, *more, **options)
        kind = (socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
        return [
            (socket.AF_INET6, *kind, ("::1", port, 0, 0)),
            (socket.AF_INET, *kind, ("127.0.0.1", port)),
        ]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    host = f"http://localhost:{ollama.port}"
    model, embedder = OllamaChatModel([host]), Endpoint(host, "The embedder")
    assert [item.name for item in await model.models()] == ["scripted:tokens=20"]
    assert await answer(model, "scripted:tokens=1") == "word "
    assert await embedder.get("/api/tags")
    await model.aclose()
    await embedder.aclose()


async def test_a_model_that_is_being_loaded_is_waited_for_longer_than_one_that_is_silent(
    ollama: ScriptedOllama, model: OllamaChatModel
) -> None:
    name = "scripted:tokens=1,load=3"
    ollama.offered = [name]
    await model.models()
    asking = asyncio.create_task(answer(model, name))
    await asyncio.sleep(1.5)
    assert await model.is_loading(name)
    assert await asking == "word "
    assert ollama.loads == 1
    assert not await model.is_loading(name)


async def test_a_model_that_never_gets_loaded_is_given_up_in_the_end(ollama: ScriptedOllama) -> None:
    name = "scripted:load=60"
    ollama.offered = [name]
    model = OllamaChatModel([ollama.host], first_token_seconds=0.1, load_seconds=0.4)
    with pytest.raises(ModelTimeout):
        await answer(model, name)
    await model.aclose()


async def test_a_model_that_is_loaded_and_silent_is_given_up_at_once(
    ollama: ScriptedOllama, model: OllamaChatModel
) -> None:
    ollama.offered = ["scripted:first=60"]
    async with asyncio.timeout(60):
        with pytest.raises(ModelTimeout):
            await answer(model, "scripted:first=60")


async def test_an_answer_waits_in_its_hosts_queue_while_the_host_writes_others(
    ollama: ScriptedOllama, model: OllamaChatModel
) -> None:
    """As with two users who keep all places of a host busy: a third one's question is not a host that is away."""
    ollama.at_once, long, other = asyncio.Semaphore(2), "scripted:tokens=300,rate=100", "scripted:tokens=2"
    ollama.offered = [long, other]
    writing = [asyncio.create_task(answer(model, long)) for _ in range(2)]
    await generating(ollama, 2)
    asked_at = time.monotonic()
    assert await answer(model, other) == "word " * 2
    # Longer than it waits for a host that is silent.
    assert time.monotonic() - asked_at > 1
    assert [await it for it in writing] == ["word " * 300] * 2


async def test_an_answer_does_not_wait_for_a_host_that_has_become_silent(
    ollama: ScriptedOllama, model: OllamaChatModel
) -> None:
    ollama.at_once, silent = asyncio.Semaphore(1), "scripted:tokens=20,rate=100,fault=silent,at=10"
    ollama.offered = [silent, "scripted:tokens=2"]
    writing = asyncio.create_task(answer(model, silent))
    await generating(ollama, 1)
    async with asyncio.timeout(60):
        with pytest.raises(ModelTimeout):
            await answer(model, "scripted:tokens=2")
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)


async def test_an_answer_waits_while_its_host_writes_those_of_another_process(
    ollama: ScriptedOllama, model: OllamaChatModel
) -> None:
    ollama.at_once, long = asyncio.Semaphore(1), "scripted:tokens=300,rate=100"
    ollama.offered = [long, "scripted:tokens=2"]
    elsewhere = OllamaChatModel([ollama.host])
    writing = asyncio.create_task(answer(elsewhere, long))
    await generating(ollama, 1)
    waiting = asyncio.create_task(answer(model, "scripted:tokens=2"))
    since = 0.0
    while not writing.done():
        # As the engines tell each other.
        for host in elsewhere.hosts_heard_since(since):
            model.note_heard(host)
        since = time.monotonic()
        await asyncio.sleep(0.05)
    assert await waiting == "word " * 2
    model.note_heard("http://elsewhere.example")
    assert model.hosts_heard_since(time.monotonic()) == []
    await elsewhere.aclose()


async def test_a_model_of_a_service_elsewhere_is_marked_and_not_asked_unless_that_is_allowed(
    ollama: ScriptedOllama, model: OllamaChatModel
) -> None:
    name = "scripted:tokens=1,remote=ollama.com"
    ollama.offered = [name]
    [offered] = await model.models()
    assert (offered.remote_host, offered.is_allowed, offered.can_chat) == ("ollama.com", False, False)
    with pytest.raises(ModelRefused, match="outside of this network, which is not allowed"):
        await answer(model, name)
    assert ollama.asked == []
    allowing = OllamaChatModel([ollama.host], allows_remote=True)
    [offered] = await allowing.models()
    assert (offered.remote_host, offered.can_chat) == ("ollama.com", True)
    assert await answer(allowing, name) == "word "
    await allowing.aclose()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("this model requires a subscription, upgrade for access", "needs a subscription"),
        ("unauthorized", "needs a sign-in"),
    ],
)
async def test_what_a_service_elsewhere_refuses_is_said_in_words(ollama: ScriptedOllama, said: str, words: str) -> None:
    name = f"scripted:remote=ollama.com,needs={said.replace(',', '')}"
    ollama.offered = [name]
    model = OllamaChatModel([ollama.host])
    with pytest.raises(ModelRefused, match=words) as failure:
        await answer(model, name)
    assert ollama.host not in failure.value.message
    assert said.replace(",", "") in failure.value.detail
    await model.aclose()


@pytest.mark.parametrize(
    "name", ["hf.co/bartowski/X-GGUF:Q4_K_M", "reg.local:5000/team/m:v1.2", "моделька:latest", "a b/c?d#e&f:100%"]
)
async def test_a_model_is_asked_for_by_exactly_its_name(ollama: ScriptedOllama, name: str) -> None:
    ollama.offered = [name]
    model = OllamaChatModel([ollama.host])
    assert [item.name for item in await model.models()] == [name]
    with pytest.raises(Exception, match=r".+"):
        await answer(model, name)
    assert ollama.asked[-1]["model"] == name
    await model.aclose()


def conversation(turns: int, words: int) -> list[ChatMessage]:
    """Return a conversation whose every message has so many words."""
    said = [ChatMessage(Role.SYSTEM, "Be brief.")]
    for turn in range(turns):
        said += [
            ChatMessage(Role.USER, f"question {turn} " + "word " * words),
            ChatMessage(Role.ASSISTANT, f"answer {turn} " + "word " * words),
        ]
    return [*said, ChatMessage(Role.USER, "The last question.")]


async def test_a_long_conversation_is_fitted_into_the_context_that_is_asked_for(ollama: ScriptedOllama) -> None:
    model = OllamaChatModel([ollama.host], context_tokens=2_000)
    ollama.offered = ["scripted:tokens=1"]
    assert await answer(model, "scripted:tokens=1", conversation(40, 100))
    asked = ollama.asked[-1]
    assert asked["options"]["num_ctx"] == 2_000
    contents = [message["content"] for message in asked["messages"]]
    assert (contents[0], contents[-1]) == ("Be brief.", "The last question.")
    assert contents[1].startswith("question 3")
    assert contents[-2].startswith("answer 39")
    assert 1_000 < sum(len(content.split()) for content in contents) < 1_500
    await model.aclose()


async def test_the_context_is_never_more_than_the_model_was_made_for(ollama: ScriptedOllama) -> None:
    ollama.offered = ["scripted:tokens=1,context=512"]
    model = OllamaChatModel([ollama.host])
    assert await answer(model, "scripted:tokens=1,context=512")
    assert ollama.asked[-1]["options"]["num_ctx"] == 512
    with pytest.raises(ModelRefused, match=r"too long for .* whose context is about 512 tokens"):
        await answer(model, "scripted:tokens=1,context=512", [ChatMessage(Role.USER, "word " * 600)])
    await model.aclose()


async def test_a_host_that_does_not_say_its_context_is_asked_once_and_gets_the_configured_one(
    ollama: ScriptedOllama,
) -> None:
    name = "scripted:tokens=1,context=65536"
    ollama.offered = [name]
    model = OllamaChatModel([ollama.host], context_tokens=2_000)
    ollama.cannot_show = True
    for wanted, sent in ((None, 2_000), (32_000, 2_000), (1_000, 1_000)):
        events = [event async for event in model.chat(name, QUESTION, options=ChatOptions(num_ctx=wanted))]
        assert isinstance(events[-1], AnswerFinished)
        assert ollama.asked[-1]["options"]["num_ctx"] == sent
    assert ollama.shown == 1, "a failure is remembered for some time"
    await model.aclose()
