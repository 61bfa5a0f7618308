"""Context sources in a tab: search, attach and detach; sources of other users and invalid ids are refused."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.ids import new_id
from rxchat.services.app.container import Services
from rxchat.states.chat.context_sources import ContextSourcesState
from rxchat.states.chat.sidebar import SidebarState
from rxchat.states.chat.thread import ThreadState
from rxchat.states.platform.current_user import CurrentUserState
from tests.factories import add_user, signed_in_as
from tests.peers.scripted_ollama import ScriptedOllama
from tests.services.grounded import EMBEDDER
from tests.tab import Tab, open_tab

pytestmark = pytest.mark.anyio

QUICK = "scripted:tokens=2"
UNREADABLE = "The attachments are invalid. Reload the page."
GONE = "Something you attached no longer exists, or you have no access to it. Remove it and send again."


@pytest.fixture
async def ada(services: Services, current_user: CurrentUser, ollama: ScriptedOllama) -> CurrentUser:
    ollama.offered = [QUICK, EMBEDDER]
    return current_user


@pytest.fixture
async def cookie(services: Services, ada: CurrentUser) -> str:
    return await signed_in_as(services, ada)


@pytest.fixture
def stranger(owner_url: str) -> CurrentUser:
    return add_user(owner_url, "Mallory")


async def at_page(tab: Tab, conversation_id: object = None) -> None:
    """Be on a page that has loaded."""
    tab.visit(conversation_id)
    before = len(tab.patches)
    await tab.send_event(CurrentUserState, "enter")
    await tab.send_event(SidebarState, "load")
    await tab.send_event(ThreadState, "open")
    await tab.until(lambda: len(tab.patches) > before)


async def begun(tab: Tab, **attached: Any) -> str:
    """Ask on the page for new chats, and be in the conversation that comes of it."""
    await at_page(tab)
    client_id = str(new_id())
    await tab.do(ThreadState, "send", text="How many days?", client_id=client_id, attached=attached)
    assert tab.shown(ThreadState, "refused") == {}
    conversation_id = tab.begun_by(client_id)
    await at_page(tab, conversation_id)
    await tab.until(tab.answer)
    return conversation_id


def attached_names(tab: Tab) -> list[str]:
    return [item["name"] for item in tab.shown(ContextSourcesState, "attached")]


def refusal(tab: Tab) -> str:
    return tab.shown(ThreadState, "refused").get("text", "")


async def test_what_is_found_is_ones_own_and_named_so(
    services: Services, cookie: str, ada: CurrentUser, stranger: CurrentUser
) -> None:
    mine = await services.documents.collections.create(ada, "Team rules")
    await services.documents.collections.create(ada, "Cookbook")
    await services.documents.collections.create(stranger, "Team secrets")
    async with open_tab(cookie) as tab:
        await at_page(tab)
        await tab.do(ContextSourcesState, "find", words="team")
        found = tab.shown(ContextSourcesState, "choices")
        assert [(item["id"], item["kind"], item["name"]) for item in found] == [(str(mine), "collection", "Team rules")]
        assert tab.shown(ContextSourcesState, "searched") == "team"
        await tab.do(ContextSourcesState, "find", words="%" * 500)
        assert (tab.shown(ContextSourcesState, "choices"), len(tab.shown(ContextSourcesState, "searched"))) == ([], 100)


async def test_what_goes_along_is_shown_attached_and_taken_out(
    services: Services, cookie: str, ada: CurrentUser
) -> None:
    rules = await services.documents.collections.create(ada, "Team rules")
    recipes = await services.documents.collections.create(ada, "Cookbook")
    async with open_tab(cookie) as tab:
        conversation_id = await begun(tab, ids=[str(rules)], draft="")
        assert (tab.shown(ContextSourcesState, "of"), attached_names(tab)) == (conversation_id, ["Team rules"])
        kept = {"id": str(rules), "kind": "collection", "name": "Team rules", "is_there": True}
        assert [message.get("attachments") for message in tab.messages()] == [[kept], None]
        again = {"text": "And now?", "client_id": str(new_id()), "attached": {"ids": [str(recipes)], "draft": ""}}
        await tab.do(ThreadState, "send", **again)
        await tab.until(lambda: len(tab.messages()) == 4)
        assert [item["name"] for item in tab.messages()[2]["attachments"]] == ["Cookbook"]
        await tab.do(ContextSourcesState, "detach", found=str(recipes))
        await tab.do(ContextSourcesState, "attach", found=str(recipes))
        await tab.until(lambda: attached_names(tab) == ["Team rules", "Cookbook"])
        await tab.do(ContextSourcesState, "detach", found=str(rules))
        await tab.until(lambda: attached_names(tab) == ["Cookbook"])


async def test_what_no_page_sends_is_refused_with_a_sentence(cookie: str, subtests: pytest.Subtests) -> None:
    for name, attached in {
        "text": {"ids": "abc", "draft": ""},
        "number": {"ids": [7], "draft": ""},
        "no id": {"ids": ["no-id"], "draft": ""},
        "no draft": {"ids": [], "draft": "no-id"},
        "list": {"ids": [], "draft": ["x"]},
        "too many": {"ids": [str(uuid4()) for _ in range(51)], "draft": ""},
    }.items():
        with subtests.test(attached=name):
            async with open_tab(cookie) as tab:
                await at_page(tab)
                await tab.do(ThreadState, "send", text="hello", client_id=str(new_id()), attached=attached)
                assert refusal(tab) == UNREADABLE
                assert not tab.shown(ThreadState, "born")


async def test_a_strangers_collection_does_not_go_along(services: Services, cookie: str, stranger: CurrentUser) -> None:
    theirs = await services.documents.collections.create(stranger, "Diary")
    async with open_tab(cookie) as tab:
        await at_page(tab)
        for unknown in (theirs, new_id()):
            attached = {"ids": [str(unknown)], "draft": ""}
            await tab.do(ThreadState, "send", text="hello", client_id=str(new_id()), attached=attached)
            assert refusal(tab) == GONE


async def test_a_strangers_conversation_is_not_grounded(
    services: Services, cookie: str, ada: CurrentUser, stranger: CurrentUser
) -> None:
    rules = await services.documents.collections.create(ada, "Team rules")
    async with open_tab(cookie) as tab:
        conversation_id = await begun(tab, ids=[str(rules)], draft="")
        async with open_tab(await signed_in_as(services, stranger)) as other:
            await at_page_of_nothing(other, conversation_id)
            await other.do(ContextSourcesState, "attach", found=str(rules))
            await other.do(ContextSourcesState, "detach", found=str(rules))
            await other.do(ContextSourcesState, "detach", found="no-id")
            assert attached_names(other) == []
    assert [item.name for item in await services.chat.context_sources.of(ada, UUID(conversation_id))] == ["Team rules"]


async def at_page_of_nothing(tab: Tab, conversation_id: str) -> None:
    """Be at an address that shows this person nothing."""
    tab.visit(conversation_id)
    await tab.send_event(CurrentUserState, "enter")
    await tab.do(ThreadState, "open")
    assert tab.shown(ThreadState, "missing")


async def test_nobody_finds_anything_without_a_sign_in(services: Services, ada: CurrentUser) -> None:
    await services.documents.collections.create(ada, "Team rules")
    async with open_tab() as tab:
        await tab.do(ContextSourcesState, "find", words="team")
        assert tab.shown(ContextSourcesState, "choices") == []
