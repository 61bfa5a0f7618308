"""Assistants: versions, shares, and what conversations keep of them."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.api_errors import VersionMismatch
from rxchat.domain.assistants import MOST_ASSISTANTS, AssistantContent, ChosenAssistant
from rxchat.domain.errors import InvalidInput, NotAllowed, NotFound
from rxchat.domain.ids import new_id
from rxchat.domain.model_parameters import Configuration
from rxchat.domain.permissions import Scope
from rxchat.services.app.container import Services
from tests.factories import add_user
from tests.peers.scripted_ollama import ScriptedOllama
from tests.services.answering import ended

pytestmark = pytest.mark.anyio
CALLER, MODEL = ClientInfo("203.0.113.7", "a browser"), "scripted:tokens=2"
PIRATE = AssistantContent(
    name="Pirate", description="Answers as at sea", icon="🏴‍☠️", model=MODEL, system_prompt="You are a pirate.",
    parameters={"temperature": 0.9, "seed": 1}, starters=("Ahoy!", "Where is the treasure?"),
)  # fmt: skip


@pytest.fixture
def stranger(services: Services, owner_url: str) -> CurrentUser:
    assert services
    return add_user(owner_url, "Stranger")


@pytest.fixture
async def assistant_id(services: Services, current_user: CurrentUser) -> UUID:
    return await services.chat.assistants.create(current_user, PIRATE)


async def share(services: Services, user: CurrentUser, assistant_id: UUID, *, may_write: bool = False) -> None:
    await services.chat.assistant_shares.add(user, assistant_id, "everyone", "", CALLER, may_write=may_write)


async def unshare(services: Services, user: CurrentUser, assistant_id: UUID) -> None:
    [given] = await services.chat.assistant_shares.of(user, assistant_id)
    await services.chat.assistant_shares.remove(user, assistant_id, given.grant_id, CALLER)


@pytest.mark.without_engine
async def test_every_change_is_a_version_and_an_earlier_one_comes_back_as_a_new_one(
    services: Services, current_user: CurrentUser, assistant_id: UUID
) -> None:
    assistants = services.chat.assistants
    second = replace(PIRATE, name="Captain", starters=())
    assert await assistants.change(current_user, assistant_id, second, CALLER, version=1) == 2
    # Nothing is changed, so there is no version more.
    assert await assistants.change(current_user, assistant_id, second, CALLER, version=2) == 2
    with pytest.raises(VersionMismatch, match="version 2"):
        await assistants.change(current_user, assistant_id, PIRATE, CALLER, version=1)
    assert await assistants.restore_version(current_user, assistant_id, 1, 2, CALLER) == 3
    found = await assistants.get(current_user, assistant_id)
    assert (found.content, found.version, found.may_write) == (PIRATE, 3, True)
    kept = await assistants.versions(current_user, assistant_id)
    assert [(item.version, item.content.name, item.restored_from) for item in kept] == [
        (3, "Pirate", 1), (2, "Captain", None), (1, "Pirate", None),
    ]  # fmt: skip
    with pytest.raises(NotFound):
        await assistants.restore_version(current_user, assistant_id, 7, 3, CALLER)


@pytest.mark.without_engine
async def test_readers_use_it_writers_change_it_and_strangers_do_not_know_it(
    services: Services, current_user: CurrentUser, stranger: CurrentUser, assistant_id: UUID
) -> None:
    assistants, shares = services.chat.assistants, services.chat.assistant_shares
    for refused in (
        assistants.get(stranger, assistant_id), assistants.change(stranger, assistant_id, PIRATE, CALLER, version=1),
        assistants.versions(stranger, assistant_id), assistants.remove(stranger, assistant_id),
        assistants.duplicate(stranger, assistant_id), shares.of(stranger, assistant_id),
        services.chat.messages.send_message(stranger, None, "Ahoy", MODEL, assistant_id=assistant_id),
    ):  # fmt: skip
        with pytest.raises(NotFound):
            await refused
    assert await assistants.readable(stranger) == []
    await share(services, current_user, assistant_id)
    [found] = await assistants.readable(stranger)
    assert (found.content, found.may_write, found.is_shared) == (PIRATE, False, False)
    [mine] = await assistants.readable(current_user)
    assert mine.is_shared
    for refused in (
        assistants.change(stranger, assistant_id, PIRATE, CALLER, version=1), assistants.versions(stranger, assistant_id),
        assistants.remove(stranger, assistant_id), assistants.restore_version(stranger, assistant_id, 1, 1, CALLER),
    ):  # fmt: skip
        with pytest.raises(NotAllowed):
            await refused
    with pytest.raises(NotFound):
        await shares.add(stranger, assistant_id, "everyone", "", CALLER, may_write=True)
    await share(services, current_user, assistant_id, may_write=True)
    assert await assistants.change(stranger, assistant_id, replace(PIRATE, name="Sailor"), CALLER, version=1) == 2
    newest = (await assistants.versions(current_user, assistant_id))[0]
    assert newest.changed_by == stranger.name
    with pytest.raises(NotAllowed):
        await assistants.remove(stranger, assistant_id)
    copy = await assistants.duplicate(stranger, assistant_id)
    assert (await assistants.get(stranger, copy)).content.name == "Sailor"


@pytest.mark.without_engine
async def test_a_deleted_one_can_be_restored_and_is_gone_for_others(
    services: Services, current_user: CurrentUser, stranger: CurrentUser, assistant_id: UUID
) -> None:
    assistants = services.chat.assistants
    await share(services, current_user, assistant_id)
    await assistants.remove(current_user, assistant_id)
    assert await assistants.readable(current_user) == await assistants.readable(stranger) == []
    assert [item.name for item in await assistants.deleted(current_user)] == ["Pirate"]
    with pytest.raises(NotFound):
        await assistants.restore(stranger, assistant_id)
    assert await assistants.restore(current_user, assistant_id) == "Pirate"
    assert len(await assistants.readable(stranger)) == 1
    with pytest.raises(NotFound):
        await assistants.delete_for_good(current_user, assistant_id)
    await assistants.remove(current_user, assistant_id)
    await assistants.delete_for_good(current_user, assistant_id)
    assert await assistants.deleted(current_user) == []


@pytest.mark.without_engine
@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": " "}, "name"), ({"name": "x" * 81}, "name"), ({"icon": "two words"}, "icon"),
        ({"icon": "123456789"}, "icon"), ({"system_prompt": "x" * 8_001}, "system_prompt"),
        ({"parameters": {"temperature": 3}}, "temperature"), ({"parameters": {"x": 1}}, "x"),
        ({"starters": ("x" * 201,)}, "starters"), ({"starters": tuple("abcdefg")}, "starters"), ({"model": "a\nb"}, "model"),
        ({"description": "x" * 301}, "description"), ({"collection_ids": (new_id(),)}, "collection_ids"),
        ({"collection_ids": tuple(new_id() for _ in range(21))}, "collection_ids"),
    ],
)  # fmt: skip
async def test_what_is_not_allowed_is_refused_at_its_field(
    services: Services, current_user: CurrentUser, wrong: dict, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await services.chat.assistants.create(current_user, replace(PIRATE, **wrong))
    assert refused.value.field == field
    assert await services.chat.assistants.readable(current_user) == []


@pytest.mark.without_engine
async def test_there_is_a_maximum_and_keys_need_their_scope(services: Services, current_user: CurrentUser) -> None:
    key = replace(current_user, scopes=frozenset({Scope.READ}))
    with pytest.raises(NotAllowed):
        await services.chat.assistants.create(key, PIRATE)
    # Answers quote the collections of an assistant: they need the scope for files.
    library = await services.documents.collections.create(current_user, "Library")
    reading = await services.chat.assistants.create(current_user, replace(PIRATE, collection_ids=(library,)))
    asking = replace(current_user, scopes=frozenset({Scope.READ, Scope.CHAT}))
    plain = await services.chat.assistants.create(asking, PIRATE)
    turn = await services.chat.messages.send_message(asking, None, "Ahoy!", MODEL, assistant_id=plain)
    for attempt in (
        services.chat.assistants.create(asking, replace(PIRATE, collection_ids=(library,))),
        services.chat.assistants.change(asking, plain, replace(PIRATE, collection_ids=(library,)), CALLER, version=1),
        services.chat.messages.send_message(asking, None, "Ahoy!", MODEL, assistant_id=reading),
        services.chat.conversation_assistants.choose(asking, turn.conversation_id, reading),
    ):
        with pytest.raises(NotAllowed, match="files"):
            await attempt
    for assistant_id in (plain, reading):
        await services.chat.assistants.remove(current_user, assistant_id)
    for _ in range(MOST_ASSISTANTS):
        await services.chat.assistants.create(current_user, PIRATE)
    with pytest.raises(InvalidInput, match="maximum"):
        await services.chat.assistants.create(current_user, PIRATE)


async def test_a_conversation_keeps_the_version_that_it_began_with_and_can_go_over_to_the_newest(
    services: Services, current_user: CurrentUser, ollama: ScriptedOllama, assistant_id: UUID
) -> None:
    chat = services.chat
    turn = await chat.messages.send_message(
        current_user, None, "Ahoy!", MODEL, assistant_id=assistant_id, configuration=Configuration("", {"seed": 7})
    )
    answer = await ended(services, current_user, turn.conversation_id)
    assert ollama.asked[-1]["messages"][0] == {"role": "system", "content": "You are a pirate."}
    assert answer.parameters == {"temperature": 0.9, "seed": 7}
    await chat.assistants.change(
        current_user, assistant_id, replace(PIRATE, system_prompt="You are a captain."), CALLER, version=1
    )
    page = await chat.conversations.open(current_user, turn.conversation_id)
    assert page.assistant is not None and (page.assistant.version, page.assistant.newest) == (1, 2)
    await chat.messages.send_message(current_user, turn.conversation_id, "Again", MODEL)
    await ended(services, current_user, turn.conversation_id)
    assert ollama.asked[-1]["messages"][0]["content"] == "You are a pirate."
    mark = await chat.conversation_assistants.choose(current_user, turn.conversation_id, assistant_id)
    assert mark is not None and (mark.version, mark.newest) == (2, 2)
    await chat.messages.send_message(current_user, turn.conversation_id, "And now", MODEL)
    await ended(services, current_user, turn.conversation_id)
    assert ollama.asked[-1]["messages"][0]["content"] == "You are a captain."
    # What is set for the conversation comes before its assistant, which can be removed.
    await chat.configurations.change(current_user, turn.conversation_id, "You are a cook.", {})
    assert await chat.conversation_assistants.choose(current_user, turn.conversation_id, None) is None
    history = await chat.conversations.history(current_user, turn.conversation_id)
    assert (history.assistant, history.system_prompt) == ({}, "You are a cook.")


async def test_a_conversation_continues_with_what_it_has_when_its_assistant_is_no_longer_shared(
    services: Services, current_user: CurrentUser, stranger: CurrentUser, ollama: ScriptedOllama, assistant_id: UUID
) -> None:
    chat = services.chat
    await share(services, current_user, assistant_id)
    turn = await chat.messages.send_message(stranger, None, "Ahoy!", MODEL, assistant_id=assistant_id)
    await ended(services, stranger, turn.conversation_id)
    await unshare(services, current_user, assistant_id)
    page = await chat.conversations.open(stranger, turn.conversation_id)
    assert page.assistant is not None and (page.assistant.name, page.assistant.newest) == ("Pirate", 0)
    await chat.messages.send_message(stranger, turn.conversation_id, "Still there?", MODEL)
    await ended(services, stranger, turn.conversation_id)
    assert ollama.asked[-1]["messages"][0]["content"] == "You are a pirate."
    with pytest.raises(NotFound, match="no longer shared"):
        await chat.conversation_assistants.choose(stranger, turn.conversation_id, assistant_id)


@pytest.mark.without_engine
async def test_collections_are_searched_with_the_permissions_of_who_asks(
    services: Services, current_user: CurrentUser, stranger: CurrentUser
) -> None:
    from rxchat.db.chat import conversation_sources

    documents, chat = services.documents, services.chat
    secret = await documents.collections.create(current_user, "Secret")
    assistant_id = await chat.assistants.create(current_user, replace(PIRATE, collection_ids=(secret,)))
    await share(services, current_user, assistant_id, may_write=True)
    for user, names in ((current_user, ["Secret"]), (stranger, [])):
        turn = await chat.messages.send_message(user, None, "Ahoy!", MODEL, assistant_id=assistant_id)
        async with chat.assistants._database.begin(user.user_id) as session:
            found = await conversation_sources.searched(session, user.user_id, turn.conversation_id)
        assert [item.name for item in found] == names
    # A writer keeps what they may not read, and adds nothing of the kind; a copy is without it.
    changed = replace(PIRATE, name="Sailor", collection_ids=(secret,))
    assert await chat.assistants.change(stranger, assistant_id, changed, CALLER, version=1) == 2
    other = await documents.collections.create(current_user, "Other")
    with pytest.raises(InvalidInput):
        await chat.assistants.change(
            stranger, assistant_id, replace(changed, collection_ids=(other,)), CALLER, version=2
        )
    copy = await chat.assistants.get(stranger, await chat.assistants.duplicate(stranger, assistant_id))
    assert copy.content.collection_ids == ()


def test_a_version_survives_being_stored() -> None:
    chosen = ChosenAssistant(new_id(), 3, replace(PIRATE, collection_ids=(new_id(),)))
    assert ChosenAssistant.of(chosen.data) == chosen
    assert ChosenAssistant.of({}) is None
