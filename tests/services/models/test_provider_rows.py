"""Providers that administrators add: they work in all processes at once, running answers stay, and keys never come out."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from psycopg import sql

from rxchat.connections import Connections
from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.errors import AlreadyExists, InvalidInput, NotAllowed, NotFound
from rxchat.domain.messages import MessageState
from rxchat.domain.model_providers import ProviderDraft
from rxchat.lifespan import running
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from rxchat.states.access.audit_messages import sentence
from tests.factories import add_user
from tests.peers.scripted_anthropic import scripted_anthropic
from tests.peers.scripted_model import counted
from tests.peers.scripted_ollama import ScriptedOllama, scripted_ollama
from tests.peers.scripted_openai import ScriptedOpenAI, scripted_openai
from tests.services.answering import ended, following, grown

pytestmark = pytest.mark.anyio

KEY = "sk-a-secret-of-this-test"
HEADER = "a-secret-value-of-a-header"
HERE = ClientInfo("127.0.0.1", "a browser")
COUNTING = "gpu/scripted:tokens=30,count=1"


@pytest.fixture
async def server() -> AsyncGenerator[ScriptedOpenAI]:
    async with scripted_openai() as found:
        found.key = KEY
        yield found


@pytest.fixture
def root(services: Services, owner_url: str) -> CurrentUser:
    assert services
    return add_user(owner_url, "Root", "admin")


@pytest.fixture
def draft(server: ScriptedOpenAI) -> ProviderDraft:
    return ProviderDraft("gpu", "openai", server.url, 60, KEY, f"X-Team: {HEADER}")


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


async def names(services: Services) -> list[str]:
    return [model.name for model in (await services.models.catalog.offer()).models]


async def test_a_provider_answers_as_soon_as_it_is_added_in_every_process(
    services: Services,
    settings: Settings,
    at: Connections,
    root: CurrentUser,
    draft: ProviderDraft,
    server: ScriptedOpenAI,
) -> None:
    async with running(settings.model_copy(update={"engine": False}), at) as others:
        assert await names(others) == ["scripted:tokens=20"]
        await services.models.providers.add(root, draft, HERE)
        assert await names(services) == ["scripted:tokens=20", "gpu/scripted:tokens=20"]
        await until(lambda: bool(others.models.provider_pool._clients))
        assert "gpu/scripted:tokens=20" in await names(others)
        turn = await services.chat.messages.send_message(root, None, "Count.", COUNTING)
        assert (await ended(services, root, turn.conversation_id)).text == counted(1, 30)
        await services.models.providers.set_enabled(root, "gpu", HERE, is_enabled=False)
        assert await names(services) == ["scripted:tokens=20"]
        await until(lambda: not others.models.provider_pool._clients)
        await services.models.providers.set_enabled(root, "gpu", HERE, is_enabled=True)
        await services.models.providers.delete(root, "gpu", HERE)
        assert await names(services) == ["scripted:tokens=20"]
    assert server.keys == {f"Bearer {KEY}"}


async def test_a_provider_of_anthropic_answers(services: Services, root: CurrentUser) -> None:
    async with scripted_anthropic(key=KEY) as hosted:
        draft = ProviderDraft("claude", "anthropic", f"{hosted.url}/v1", 60, KEY)
        wrong = await services.models.providers.test(root, replace(draft, key="sk-other"), is_stored=False)
        assert wrong.problem.startswith("It refused the key.")
        await services.models.providers.add(root, draft, HERE)
        assert await names(services) == ["scripted:tokens=20", "claude/scripted:tokens=20"]
        turn = await services.chat.messages.send_message(root, None, "Count.", "claude/scripted:count=1,tokens=30")
        assert (await ended(services, root, turn.conversation_id)).text == counted(1, 30)
        await services.models.providers.delete(root, "claude", HERE)


async def test_an_answer_that_is_running_ends_on_the_client_with_which_it_began(
    services: Services, root: CurrentUser, draft: ProviderDraft, server: ScriptedOpenAI
) -> None:
    await services.models.providers.add(root, draft, HERE)
    turn = await services.chat.messages.send_message(root, None, "Count.", f"{COUNTING},hold=20")
    async with following(services, root, turn) as answer:
        await grown(answer, len(counted(1, 20)))
        await services.models.providers.delete(root, "gpu", HERE)
        server.held.release()
        ending = await ended(services, root, turn.conversation_id)
    assert (ending.text, ending.state) == (counted(1, 30), MessageState.DONE)


async def test_a_conversation_whose_provider_is_gone_keeps_its_text_and_says_so(
    services: Services, root: CurrentUser, draft: ProviderDraft
) -> None:
    await services.models.providers.add(root, draft, HERE)
    turn = await services.chat.messages.send_message(root, None, "Count.", COUNTING)
    await ended(services, root, turn.conversation_id)
    (in_use,) = await services.models.providers.in_use(root, "gpu")
    assert (in_use.model, in_use.conversations, in_use.users) == (COUNTING, 1, 1)
    await services.models.providers.delete(root, "gpu", HERE)
    await services.chat.messages.send_message(root, turn.conversation_id, "Again.", COUNTING)
    answer = await ended(services, root, turn.conversation_id)
    assert answer.state is MessageState.FAILED and COUNTING in answer.error


async def test_no_key_comes_back_out(
    services: Services, root: CurrentUser, draft: ProviderDraft, server: ScriptedOpenAI, owner_url: str,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    await services.models.providers.add(root, draft, HERE)
    # A provider that repeats the key which it refuses.
    server.key, server.refusal = "another", f"Incorrect API key provided: {KEY}; X-Team: {HEADER}"
    said = [repr(await services.models.providers.all(root, is_fresh=True))]
    said.append(
        repr(await services.models.providers.test(root, replace(draft, key=None, headers=None), is_stored=True))
    )
    turn = await services.chat.messages.send_message(root, None, "Count.", COUNTING)
    said.append(repr(await ended(services, root, turn.conversation_id)))
    with pytest.raises(InvalidInput) as refused:
        await services.models.providers.change(root, replace(draft, headers=f"Host: {HEADER}"), HERE)
    said += [repr(refused.value), repr(draft), *capfd.readouterr()]
    with psycopg.connect(owner_url) as connection:
        for table in ("model_provider", "audit_event", "conversation_event", "message", "run", "run_chunk"):
            said.append(repr(connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table))).fetchall()))
    assert not [text for text in said if KEY in text or HEADER in text]
    assert "It refused the key." in said[0] and "header_names=('X-Team',)" in said[0]


async def test_a_key_is_sent_only_to_the_server_for_which_it_was_entered(
    services: Services, root: CurrentUser, draft: ProviderDraft, server: ScriptedOpenAI, owner_url: str
) -> None:
    await services.models.providers.add(root, draft, HERE)
    async with scripted_openai() as thief:
        moved = replace(draft, url=thief.url, key=None, headers=None)
        for attempt in (
            services.models.providers.change(root, moved, HERE),
            services.models.providers.test(root, moved, is_stored=True),
            services.models.providers.change(root, replace(moved, key=""), HERE),
        ):
            with pytest.raises(InvalidInput, match="leads to another server now"):
                await attempt
        # Nor when the row was changed in the table, by other hands than RxChat's.
        with psycopg.connect(owner_url) as connection:
            connection.execute("UPDATE model_provider SET url = %s", (thief.url,))
        await services.models.provider_pool.load()
        (state,) = await services.models.providers.all(root)
        assert "cannot be decrypted" in state.problem and not thief.keys
    assert server.keys <= {f"Bearer {KEY}"}


async def test_what_is_not_entered_stays(
    services: Services, root: CurrentUser, draft: ProviderDraft, server: ScriptedOpenAI
) -> None:
    await services.models.providers.add(root, draft, HERE)
    await services.models.providers.change(root, replace(draft, timeout_seconds=30, key=None, headers=None), HERE)
    (state,) = await services.models.providers.all(root, is_fresh=True)
    assert (state.models, state.problem, state.provider.timeout_seconds) == (1, "", 30)
    assert state.provider.has_key and state.provider.header_names == ("X-Team",)
    await services.models.providers.change(root, replace(draft, key="", headers=""), HERE)
    (state,) = await services.models.providers.all(root, is_fresh=True)
    assert not state.provider.has_key and state.provider.header_names == () and "refused the key" in state.problem
    assert server.keys


@pytest.mark.without_engine
async def test_a_test_says_in_plain_words_what_is_wrong(
    services: Services, root: CurrentUser, draft: ProviderDraft, subtests: pytest.Subtests
) -> None:
    cases = {
        "": draft,
        "It refused the key.": replace(draft, key="sk-wrong"),
        "No server listens": replace(draft, url="http://127.0.0.1:9/v1"),
        "The name of its host is unknown.": replace(draft, url="http://no-such-name.invalid/v1"),
        "not this API (status 404)": replace(draft, url=draft.url.removesuffix("/v1") + "/elsewhere"),
        "does not speak TLS": replace(draft, url=draft.url.replace("http:", "https:")),
        "not this API": replace(draft, kind="ollama"),
    }
    for words, entered in cases.items():
        with subtests.test(words=words):
            found = await services.models.providers.test(root, entered, is_stored=False)
            assert (
                (found.models, found.problem) == (("scripted:tokens=20",), "") if not words else words in found.problem
            )
            assert "127.0.0.1" not in found.problem


@pytest.mark.without_engine
async def test_what_cannot_be_a_provider_is_refused_at_its_field(
    services: Services, root: CurrentUser, draft: ProviderDraft, subtests: pytest.Subtests
) -> None:
    wrong = {
        "name": ["", "GPU", "a/b", "ollama:", "x" * 31, "ä"],
        "kind": ["", "grpc"],
        "timeout_seconds": [0, 4, 3601, -1],
        "key": ["two words", "ä", "line\nbreak", "x" * 1001],
        "headers": ["no colon", "Host: x", "Name:", "Two Words: x", "X: \x00", "content-length: 1"],
        "url": [
            "", "gpu-1", "ftp://gpu-1", "file:///etc/passwd", "http://", "http://user:secret@gpu-1/v1", "http://gpu-1/v1?key=x",
            "http://gpu-1/#x", "http://169.254.169.254/v1", "http://[fe80::1]/", "http://[::ffff:169.254.169.254]/",
            "http://metadata.google.internal/", "http://100.100.100.200/", "http://0.0.0.0/", "http://[64:ff9b::a9fe:a9fe]/", "http://[64:ff9b:1::a9fe:a9fe]/",
        ],
    }  # fmt: skip
    for field, values in wrong.items():
        for value in values:
            with subtests.test(field=field, value=value):
                with pytest.raises(InvalidInput) as refused:
                    await services.models.providers.add(root, replace(draft, **{field: value}), HERE)
                assert refused.value.field == field and "secret" not in refused.value.message
    assert await services.models.providers.all(root) == []


@pytest.mark.without_engine
async def test_addresses_that_lead_to_secrets_are_refused_when_the_connection_is_made(
    services: Services, root: CurrentUser, draft: ProviderDraft, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up = socket.getaddrinfo

    def resolve(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        if host != "models.example.org":
            return look_up(host, port, *args, **options)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", port or 80))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    for kind in ("openai", "ollama", "anthropic"):
        found = await services.models.providers.test(
            root, replace(draft, kind=kind, url="http://models.example.org/v1"), is_stored=False
        )
        assert "to which RxChat does not connect" in found.problem


@pytest.mark.without_engine
async def test_only_administrators_of_models_do_any_of_it(
    services: Services, root: CurrentUser, current_user: CurrentUser, owner_url: str, draft: ProviderDraft
) -> None:
    await services.models.providers.add(root, draft, HERE)
    providers = services.models.providers
    for user in (current_user, add_user(owner_url, "Mo", "moderator")):
        for attempt in (
            providers.all(user), providers.add(user, draft, HERE), providers.change(user, draft, HERE),
            providers.set_enabled(user, "gpu", HERE, is_enabled=False), providers.in_use(user, "gpu"),
            providers.delete(user, "gpu", HERE), providers.test(user, draft, is_stored=False),
        ):  # fmt: skip
            with pytest.raises(NotAllowed):
                await attempt
    with pytest.raises(AlreadyExists):
        await providers.add(root, draft, HERE)
    for attempt in (
        providers.change(root, replace(draft, name="nope"), HERE), providers.delete(root, "nope", HERE),
        providers.set_enabled(root, "nope", HERE, is_enabled=True),
        providers.test(root, replace(draft, name="nope"), is_stored=True),
    ):  # fmt: skip
        with pytest.raises(NotFound):
            await attempt


@pytest.mark.without_engine
async def test_each_change_is_in_the_audit_log_in_words(
    services: Services, root: CurrentUser, draft: ProviderDraft, owner_url: str
) -> None:
    providers = services.models.providers
    await providers.add(root, draft, HERE)
    await providers.change(root, draft, HERE)
    await providers.set_enabled(root, "gpu", HERE, is_enabled=False)
    await providers.set_enabled(root, "gpu", HERE, is_enabled=True)
    await providers.delete(root, "gpu", HERE)
    with psycopg.connect(owner_url) as connection:
        found = connection.execute("SELECT action, data FROM audit_event ORDER BY seq").fetchall()
    assert [sentence(action, data, {}) for action, data in found] == [
        f"{verb} the model provider gpu" for verb in ("Added", "Changed", "Disabled", "Enabled", "Deleted")
    ]
    assert json.dumps(found[0][1]).count(draft.url) == 1


async def test_no_model_of_another_provider_answers_for_one_that_is_disabled_or_deleted(
    services: Services, root: CurrentUser, draft: ProviderDraft, ollama: ScriptedOllama
) -> None:
    await services.models.providers.add(root, draft, HERE)
    turn = await services.chat.messages.send_message(root, None, "Count.", COUNTING)
    await ended(services, root, turn.conversation_id)
    # As if it was pulled afterwards.
    ollama.offered.append(COUNTING)
    services.models.catalog.forget()
    assert (await names(services)).count(COUNTING) == 0, "the name is the provider's"
    await services.models.providers.set_enabled(root, "gpu", HERE, is_enabled=False)
    assert COUNTING not in await names(services)
    await services.chat.messages.send_message(root, turn.conversation_id, "Again.", COUNTING)
    answer = await ended(services, root, turn.conversation_id)
    assert answer.error.startswith(f"{COUNTING} cannot answer: its provider “gpu” is disabled.")
    ollama.offered.remove(COUNTING)
    await services.models.providers.delete(root, "gpu", HERE)
    services.models.catalog.forget()
    await names(services)
    await services.chat.messages.send_message(root, turn.conversation_id, "Again.", COUNTING)
    answer = await ended(services, root, turn.conversation_id)
    assert "there is no provider “gpu”" in answer.error and "pull" not in answer.error_detail
    assert ollama.asked == []


async def test_a_provider_does_not_take_the_place_of_models_of_an_ollama_host(
    services: Services, root: CurrentUser, draft: ProviderDraft, ollama: ScriptedOllama
) -> None:
    ollama.offered.append("gpu/llama3")
    with pytest.raises(InvalidInput, match="has the model “gpu/llama3”") as refusal:
        await services.models.providers.add(root, draft, HERE)
    assert refusal.value.field == "name"
    await services.models.providers.add(root, replace(draft, name="gpu-1"), HERE)


async def test_a_provider_with_several_ollama_hosts_is_one_set_of_models(
    services: Services, root: CurrentUser, ollama: ScriptedOllama
) -> None:
    model = "scripted:tokens=30,count=1"
    async with scripted_ollama(model) as first, scripted_ollama(model) as second:
        draft = ProviderDraft("team", "ollama", f"{first.host}, {second.host}")
        await services.models.providers.add(root, draft, HERE)
        assert (await names(services)).count(f"team/{model}") == 1
        await first.stop()
        turn = await services.chat.messages.send_message(root, None, "Count.", f"team/{model}")
        assert (await ended(services, root, turn.conversation_id)).text == counted(1, 30)
        assert len(second.asked) == 1
        await services.models.providers.delete(root, "team", HERE)
