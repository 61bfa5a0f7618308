"""What a page says about model hosts: to everyone in words, to administrators with what the host said."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rxchat.connections import Connections
from rxchat.domain.accounts import CurrentUser
from rxchat.lifespan import running
from rxchat.services.app.container import Services
from rxchat.services.models.catalog import ModelCatalog
from rxchat.settings import Settings
from rxchat.states.chat.model_picker import ModelPickerState
from rxchat.states.chat.thread import ThreadState
from tests.factories import add_user, first_administrator, signed_in_as
from tests.peers.scripted_ollama import ScriptedOllama
from tests.services.app.test_data_export import exported
from tests.states.chat.steps import ask, at_conversation, send
from tests.tab import Tab, open_tab

pytestmark = pytest.mark.anyio

QUICK = "scripted:tokens=5"
OTHER = "scripted:tokens=3"
LOADING = "scripted:tokens=1,load=4"
REMOTE = "scripted:tokens=1,remote=ollama.com"
NAMES = ["hf.co/bartowski/X-GGUF:Q4_K_M", "reg.local:5000/team/m:v1.2", "моделька:latest"]


@pytest.fixture
async def ollama(ollama: ScriptedOllama) -> ScriptedOllama:
    ollama.offered = [QUICK, OTHER]
    return ollama


@pytest.fixture
async def member(services: Services, owner_url: str) -> CurrentUser:
    assert services
    return add_user(owner_url, "Зоя 🚀")


def choices(tab: Tab) -> dict[str, Any]:
    return {choice.name: choice for choice in tab.shown(ModelPickerState, "models")}


def forget_offer(services: Services) -> None:
    """Have the models asked for again, as ten seconds later."""
    services.models.catalog._asked_at = float("-inf")


async def failure(tab: Tab) -> str:
    """Return what the page says about an answer that failed."""
    return (await tab.until(tab.answer))["error"]


async def test_a_member_sees_no_address_of_a_host_and_an_administrator_does(
    services: Services, member: CurrentUser, owner_url: str, ollama: ScriptedOllama
) -> None:
    administrator = add_user(owner_url, "Grace", role="admin")
    said = {}
    for current_user in (member, administrator):
        async with open_tab(await signed_in_as(services, current_user)) as tab:
            await at_conversation(tab)
            await ollama.stop()
            await ask(tab, "Is anybody there?", QUICK)
            said[current_user] = await failure(tab)
            forget_offer(services)
            services.models.catalog._offer = None
            await at_conversation(tab)
            said[current_user] += tab.shown(ModelPickerState, "notice")
            await ollama.start()
            services.models.catalog._offer = None
    assert said[member].startswith("The model host does not respond.")
    assert "127.0.0.1" not in said[member]
    assert said[administrator].count(f"{ollama.host} does not respond (") == 2


async def test_the_page_says_which_model_is_gone_and_which_one_answers(
    services: Services, member: CurrentUser, ollama: ScriptedOllama
) -> None:
    async with open_tab(await signed_in_as(services, member)) as tab:
        await at_conversation(tab)
        conversation_id = await ask(tab, "go", OTHER)
        ollama.offered = [QUICK]
        forget_offer(services)
        await at_conversation(tab, conversation_id)
        await tab.until(lambda: tab.shown(ModelPickerState, "model") == QUICK)
        gone = f"The model {OTHER} is no longer available. {QUICK} will answer from here on."
        assert tab.shown(ModelPickerState, "notice") == gone
        await tab.do(ModelPickerState, "choose", name=QUICK)
        assert tab.shown(ModelPickerState, "notice") == ""


async def test_a_model_that_goes_while_the_page_is_open_does_not_get_the_next_question(
    services: Services, member: CurrentUser, ollama: ScriptedOllama
) -> None:
    async with open_tab(await signed_in_as(services, member)) as tab:
        await at_conversation(tab)
        await ask(tab, "go", OTHER)
        await tab.until(tab.answer)
        ollama.offered = [QUICK]
        forget_offer(services)
        await send(tab, "and again")
        assert "is no longer available" in tab.shown(ModelPickerState, "notice")
        await tab.until(lambda: [asked["model"] for asked in ollama.asked] == [OTHER, QUICK])


async def test_a_model_of_a_service_elsewhere_is_marked_and_cannot_be_chosen(
    services: Services, member: CurrentUser, ollama: ScriptedOllama
) -> None:
    ollama.offered = [REMOTE, QUICK]
    async with open_tab(await signed_in_as(services, member)) as tab:
        await at_conversation(tab)
        remote = choices(tab)[REMOTE]
        assert (remote.is_off, "runs outside of this network (ollama.com)" in remote.detail) == (True, True)
        assert not choices(tab)[QUICK].is_off
        assert tab.shown(ModelPickerState, "model") == QUICK
        await tab.do(ModelPickerState, "choose", name=REMOTE)
        assert tab.shown(ModelPickerState, "model") == QUICK
    offer = await services.models.catalog.offer()
    assert [model.name for model in offer.models] == [QUICK]


async def test_what_runs_elsewhere_takes_over_for_nothing_that_ran_here(
    settings: Settings, at: Connections, member: CurrentUser, ollama: ScriptedOllama
) -> None:
    """A restart of the host must not send a conversation out of the network."""
    async with running(settings.model_copy(update={"remote_models": True}), at) as services:
        cookie = await signed_in_as(services, member)
        async with open_tab(cookie) as tab:
            await at_conversation(tab)
            await ask(tab, "go", OTHER)
            await tab.until(tab.answer)
            ollama.offered = [REMOTE]
            forget_offer(services)
            await send(tab, "and again")
            assert tab.shown(ModelPickerState, "model") == OTHER
            assert "The others run outside of your network" in tab.shown(ModelPickerState, "notice")
            await tab.until(lambda: [asked["model"] for asked in ollama.asked] == [OTHER, OTHER])
            await tab.do(ModelPickerState, "choose", name=REMOTE)
            assert (tab.shown(ModelPickerState, "model"), tab.shown(ModelPickerState, "notice")) == (REMOTE, "")


async def test_the_page_says_that_a_model_is_being_loaded(
    services: Services, member: CurrentUser, ollama: ScriptedOllama
) -> None:
    ollama.offered = [LOADING]
    async with open_tab(await signed_in_as(services, member)) as tab:
        await at_conversation(tab)
        await ask(tab, "go", LOADING)
        await tab.until(lambda: tab.shown(ThreadState, "run")["note"] == f"Loading the model {LOADING}")
        await tab.until(tab.answer)
    assert ollama.loads == 1


async def test_a_name_of_any_kind_is_offered_chosen_and_asked_for_as_it_is(
    services: Services, owner_url: str, ollama: ScriptedOllama, subtests: pytest.Subtests
) -> None:
    for name in NAMES:
        with subtests.test(name=name):
            ollama.offered = [QUICK, name]
            forget_offer(services)
            ollama.asked.clear()
            async with open_tab(await signed_in_as(services, add_user(owner_url, "Зоя 🚀"))) as tab:
                await at_conversation(tab)
                assert list(choices(tab)) == [QUICK, name]
                await ask(tab, "Привет 🚀", name)
                await tab.until(lambda: bool(ollama.asked))
                # Nothing of it is still on its way when the next one begins.
                await tab.until(tab.answer)
            assert ollama.asked[0]["model"] == name
            assert ollama.asked[0]["messages"][-1]["content"] == "Привет 🚀"


async def test_the_default_model_may_be_named_without_its_tag(
    services: Services, ollama: ScriptedOllama, subtests: pytest.Subtests
) -> None:
    for preferred, offered, default in (
        ("llama3.2", ["qwen3:8b", "llama3.2:latest"], "llama3.2:latest"),
        ("llama3.2:latest", ["qwen3:8b", "llama3.2:latest"], "llama3.2:latest"),
        ("llama3.2", ["llama3.2:1b", "llama3.2:latest"], "llama3.2:latest"),
        ("llama3.2", ["qwen3:8b", "llama3.2:1b"], "qwen3:8b"),
        ("", ["qwen3:8b", "llama3.2:latest"], "qwen3:8b"),
    ):
        with subtests.test(preferred=preferred, offered=offered):
            ollama.offered = offered
            offer = await ModelCatalog(services.models.catalog._provider, default=preferred).offer()
            assert [model.name for model in offer.models] == offered and offer.default == default


async def test_a_person_and_a_model_with_names_of_any_script_sign_in_ask_export_and_are_audited(
    services: Services, ollama: ScriptedOllama
) -> None:
    cookie = await first_administrator(services, email="zoya@example.org", name="Зоя 🚀")
    ollama.offered = ["моделька:latest"]
    async with open_tab(cookie) as tab:
        await at_conversation(tab)
        await ask(tab, "Как дела? 🚀", "моделька:latest")
        await tab.until(tab.answer)
    current_user = await services.accounts.sessions.current_user(cookie)
    archive = await exported(services, current_user)
    assert json.loads(archive.read("account.json"))["name"] == "Зоя 🚀"
    [name] = [name for name in archive.namelist() if name.startswith("conversations/") and name.endswith(".json")]
    said = json.loads(archive.read(name))["conversation"]
    assert said["messages"][1]["model"] == "моделька:latest"
    assert "Как дела? 🚀" in archive.read(name.replace(".json", ".txt")).decode()
    audited = [row["action"] for row in json.loads(archive.read("audit.json"))]
    assert audited[-1] == "data_exported"
