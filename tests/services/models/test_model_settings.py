"""What administrators set for models: in all processes at once, in their order, and under what others set."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

import pytest

from rxchat.connections import Connections
from rxchat.db.models import model_settings as rows
from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.api_errors import VersionMismatch
from rxchat.domain.errors import InvalidInput, NotAllowed, NotFound
from rxchat.domain.model_parameters import Configuration
from rxchat.domain.model_settings import ModelSettingDraft, moved
from rxchat.lifespan import running
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.factories import add_user
from tests.peers.scripted_ollama import ScriptedOllama
from tests.services.answering import ended

pytestmark = pytest.mark.anyio

A, B, C, D = (f"scripted:tokens={count}" for count in (2, 3, 4, 5))
HERE = ClientInfo("127.0.0.1", "a browser")
OFFERED = (A, B, C, D)


@pytest.fixture
async def ollama(ollama: ScriptedOllama) -> ScriptedOllama:
    ollama.offered = list(OFFERED)
    return ollama


@pytest.fixture
async def root(services: Services, owner_url: str, ollama: ScriptedOllama) -> AsyncGenerator[CurrentUser]:
    assert ollama
    services.models.catalog.forget()
    found = add_user(owner_url, "Root", "admin")
    yield found
    for model in await services.models.settings.all(found):
        await services.models.settings.reset(found, model, HERE)
    services.models.catalog.forget()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


async def names(services: Services) -> list[str]:
    return [model.name for model in (await services.models.catalog.offer()).models]


async def test_what_is_set_holds_in_every_process(
    services: Services, settings: Settings, at: Connections, root: CurrentUser
) -> None:
    draft = ModelSettingDraft(B, label=" Quick  one ", description="For short\nquestions.", is_default=True)
    async with running(settings.model_copy(update={"engine": False}), at) as others:
        await others.models.catalog.offer()
        stored = await services.models.settings.change(root, draft, HERE, expected_version=0)
        assert (stored.label, stored.description, stored.version) == ("Quick one", "For short questions.", 1)
        await until(lambda: others.models.known_settings.of(B).is_default)
        for process in (services, others):
            offer = await process.models.catalog.offer()
            found = next(model for model in offer.models if model.name == B)
            assert (found.title, found.description, offer.default) == ("Quick one", "For short questions.", B)
        await others.models.settings.change(root, ModelSettingDraft(C, is_default=True), HERE)
        await until(lambda: services.models.known_settings.of(C).is_default)
        assert (await services.models.catalog.offer()).default == C
        assert not services.models.known_settings.of(B).is_default


async def test_an_early_read_does_not_replace_a_later_one(
    services: Services, root: CurrentUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, read, may_end = services.models.known_settings, rows.all_settings, asyncio.Event()

    async def late(session):
        found = await read(session)
        await may_end.wait()
        return found

    monkeypatch.setattr(rows, "all_settings", late)
    early = asyncio.create_task(known.load())
    await asyncio.sleep(0)
    monkeypatch.setattr(rows, "all_settings", read)
    changing = asyncio.create_task(services.models.settings.change(root, ModelSettingDraft(A, label="New"), HERE))
    async with asyncio.timeout(60):
        while (await services.models.settings.get(root, A)).label != "New":
            await asyncio.sleep(0.01)
    may_end.set()
    await asyncio.gather(early, changing)
    assert known.of(A).label == "New"


async def test_a_hidden_model_is_not_listed_and_answers_where_it_is_chosen(
    services: Services, root: CurrentUser
) -> None:
    turn = await services.chat.messages.send_message(root, None, "Count.", D)
    await ended(services, root, turn.conversation_id)
    await services.models.settings.change(root, ModelSettingDraft(D, is_hidden=True), HERE)
    assert await names(services) == [A, B, C]
    assert [model.name for model in (await services.models.catalog.offer()).hidden] == [D]
    await services.chat.messages.send_message(root, turn.conversation_id, "Again.", D)
    assert (await ended(services, root, turn.conversation_id)).model == D
    for model in (A, B, C):
        await services.models.settings.change(root, ModelSettingDraft(model, is_hidden=True), HERE)
    assert (await services.models.catalog.offer()).problem == "All models are hidden by your administrators."


async def test_models_move_and_new_ones_come_after_those_that_have_a_place(
    services: Services, root: CurrentUser, ollama: ScriptedOllama
) -> None:
    settings = services.models.settings
    await settings.move(root, C, -1, HERE)
    assert await names(services) == [A, C, B, D]
    # D never had to be placed.
    assert {name: item.position for name, item in (await settings.all(root)).items()} == {A: 1, C: 2, B: 3}
    await settings.move(root, B, -100, HERE)
    assert await names(services) == [B, A, C, D]
    ollama.offered = ["scripted:tokens=9", *OFFERED]
    services.models.catalog.forget()
    assert await names(services) == [B, A, C, "scripted:tokens=9", D]
    await settings.move(root, B, 100, HERE)
    assert await names(services) == [A, C, "scripted:tokens=9", D, B]
    with pytest.raises(InvalidInput):
        await settings.move(root, "gone", 1, HERE)


async def test_its_system_prompt_and_parameters_apply_unless_a_conversation_has_its_own(
    services: Services, root: CurrentUser, ollama: ScriptedOllama
) -> None:
    draft = ModelSettingDraft(A, system_prompt="Be brief.", parameters={"temperature": "0.2", "top_k": "7"})
    await services.models.settings.change(root, draft, HERE)
    turn = await services.chat.messages.send_message(root, None, "Hello", A)
    await ended(services, root, turn.conversation_id)
    first = ollama.asked[-1]
    assert first["messages"][0] == {"role": "system", "content": "Be brief."}
    assert (first["options"]["temperature"], first["options"]["top_k"]) == (0.2, 7)
    own = Configuration("You are a pirate.", {"temperature": 0.9})
    turn = await services.chat.messages.send_message(root, None, "Hello", A, configuration=own)
    await ended(services, root, turn.conversation_id)
    assert ollama.asked[-1]["messages"][0]["content"] == "You are a pirate."
    assert (ollama.asked[-1]["options"]["temperature"], ollama.asked[-1]["options"]["top_k"]) == (0.9, 7)
    await services.models.settings.reset(root, A, HERE)
    await services.chat.messages.send_message(root, turn.conversation_id, "And now?", A)
    await ended(services, root, turn.conversation_id)
    assert "top_k" not in ollama.asked[-1]["options"]


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (ModelSettingDraft(""), "model"),
        (ModelSettingDraft("x" * 201), "model"),
        (ModelSettingDraft("a\nb"), "model"),
        (ModelSettingDraft(A, label="x" * 61), "label"),
        (ModelSettingDraft(A, description="x" * 301), "description"),
        (ModelSettingDraft(A, system_prompt="x" * 8_001), "system_prompt"),
        (ModelSettingDraft(A, parameters={"temperature": "hot"}), "temperature"),
        (ModelSettingDraft(A, parameters={"reasoning_effort": "low"}), "reasoning_effort"),
        (ModelSettingDraft(A, is_hidden=True, is_default=True), "is_hidden"),
        (ModelSettingDraft(A, fallbacks=[B] * 2 + [f"m{number}" for number in range(5)]), "fallbacks"),
        (ModelSettingDraft(A, fallbacks=[A]), "fallbacks"),
        (ModelSettingDraft(A, fallbacks=["a\tb"]), "fallbacks"),
    ],
)
async def test_what_is_wrong_is_named(
    services: Services, root: CurrentUser, draft: ModelSettingDraft, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await services.models.settings.change(root, draft, HERE)
    assert refused.value.field == field
    assert await services.models.settings.all(root) == {}


async def test_only_administrators_change_them_and_no_change_is_lost(
    services: Services, root: CurrentUser, owner_url: str
) -> None:
    settings, member = services.models.settings, add_user(owner_url, "Grace", "member")
    for attempt in (
        settings.all(member),
        settings.get(member, A),
        settings.change(member, ModelSettingDraft(A), HERE),
        settings.move(member, A, 1, HERE),
        settings.reset(member, A, HERE),
    ):
        with pytest.raises(NotAllowed):
            await attempt
    await settings.change(root, ModelSettingDraft(A, label="One"), HERE, expected_version=0)
    with pytest.raises(VersionMismatch):
        await settings.change(root, ModelSettingDraft(A, label="Two"), HERE, expected_version=0)
    # What is unchanged is no new version.
    assert (await settings.change(root, ModelSettingDraft(A, label="One"), HERE)).version == 1
    await settings.reset(root, A, HERE)
    with pytest.raises(NotFound):
        await settings.reset(root, A, HERE)


@pytest.mark.parametrize(
    ("step", "order"), [(0, "abc"), (1, "acb"), (-1, "bac"), (5, "acb"), (-5, "bac"), (-(10**9), "bac")]
)
def test_a_name_moves_at_most_to_an_end(step: int, order: str) -> None:
    assert moved("abc", "b", step) == list(order)
