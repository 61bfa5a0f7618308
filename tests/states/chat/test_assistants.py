"""The page of assistants, and the conversations that begin with one."""

from __future__ import annotations

from uuid import UUID

import pytest

from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.assistants import AssistantContent
from rxchat.domain.ids import new_id
from rxchat.domain.model_parameters import PARAMETERS
from rxchat.services.app.container import Services
from rxchat.states.chat.assistants import AssistantsState
from rxchat.states.chat.chosen_assistant import ChosenAssistantState
from rxchat.states.chat.model_picker import ModelPickerState
from rxchat.states.chat.thread import ThreadState
from tests.factories import add_user, signed_in_as
from tests.peers.scripted_ollama import ScriptedOllama
from tests.services.answering import ended
from tests.tab import Tab, open_tab

pytestmark = pytest.mark.anyio
CALLER = ClientInfo("203.0.113.7", "a browser")
QUICK, OTHER = "scripted:tokens=2", "scripted:tokens=3"
EMPTY = {
    "id": "", "version": "0", "name": "", "icon": "", "description": "", "system_prompt": "", "model": "", "starters": "",
    "may_use_tools": "on", **{item.name: "" for item in PARAMETERS},
}  # fmt: skip
PIRATE = EMPTY | {
    "name": "Pirate", "icon": "P", "system_prompt": "You are a pirate.", "model": OTHER, "temperature": "0.5",
    "starters": "Ahoy!\n\nWhere is the treasure?",
}  # fmt: skip


def names(tab: Tab) -> list[str]:
    return [item.name for item in tab.shown(AssistantsState, "assistants")]


async def test_an_assistant_is_made_changed_shared_deleted_and_restored(
    services: Services, current_user: CurrentUser, owner_url: str, ollama: ScriptedOllama
) -> None:
    ollama.offered = [QUICK, OTHER]
    reader = add_user(owner_url, "Reader")
    collection = str(await services.documents.collections.create(current_user, "Charts"))
    async with open_tab(await signed_in_as(services, current_user)) as tab:
        tab.path = "/assistants"
        await tab.do(AssistantsState, "load")
        await tab.do(AssistantsState, "open", form={"id": "", "dialog": "1"})
        assert [item.name for item in tab.shown(AssistantsState, "collections")] == ["Charts"]
        await tab.do(AssistantsState, "save", form=PIRATE | {"temperature": "9", "dialog": "1"})
        assert (tab.shown(AssistantsState, "problem_dialog"), tab.shown(AssistantsState, "problem_field")) == (
            1, "temperature",
        )  # fmt: skip
        await tab.do(AssistantsState, "save", form=PIRATE | {f"collection-{collection}": "on", "dialog": "1"})
        [line] = tab.shown(AssistantsState, "assistants")
        assert (line.name, line.sign, line.version, tab.shown(AssistantsState, "done_dialog")) == ("Pirate", "P", 1, 1)
        await tab.do(AssistantsState, "open", form={"id": line.id, "dialog": "2"})
        opened = tab.shown(AssistantsState, "opened")
        assert (opened.starters, opened.collections, opened.form.temperature) == (
            "Ahoy!\nWhere is the treasure?", [collection], "0.5",
        )  # fmt: skip
        again = PIRATE | {"id": line.id, "version": "1", "name": "Captain", "dialog": "2"}
        await tab.do(AssistantsState, "save", form=again)
        # Another tab had the editor open, too; it is told of the newer version.
        await tab.do(AssistantsState, "save", form=again | {"name": "Sailor", "dialog": "3"})
        assert (tab.shown(AssistantsState, "newest"), tab.shown(AssistantsState, "problem_dialog")) == (2, 3)
        await tab.do(AssistantsState, "open_versions", form={"id": line.id, "dialog": "4"})
        assert [item.name for item in tab.shown(AssistantsState, "opened").versions] == ["Captain", "Pirate"]
        restored = {"id": line.id, "number": "1", "version": "2", "dialog": "4"}
        await tab.do(AssistantsState, "restore_version", form=restored)
        assert names(tab) == ["Pirate"]
        shared = {"id": line.id, "kind": "user", "principal": reader.email, "action": "read", "dialog": "5"}
        await tab.do(AssistantsState, "share", form=shared)
        [share] = tab.shown(AssistantsState, "opened").shares
        assert (share.name, share.may_write) == (reader.email, False)
        async with open_tab(await signed_in_as(services, reader)) as theirs:
            theirs.path = "/assistants"
            await theirs.do(AssistantsState, "load")
            [item] = theirs.shown(AssistantsState, "assistants")
            assert (item.is_own, item.may_write) == (False, False)
            await theirs.do(AssistantsState, "filter_by", shown="mine")
            assert names(theirs) == []
            await theirs.do(AssistantsState, "save", form=PIRATE | {"id": line.id, "version": "3", "dialog": "6"})
            assert "Duplicate it" in theirs.shown(AssistantsState, "problem")
            await theirs.do(AssistantsState, "duplicate", assistant_id=line.id)
            assert names(theirs) == ["Pirate"]
            await theirs.do(AssistantsState, "filter_by", shown="shared")
            await theirs.do(AssistantsState, "search", words="nothing")
            assert names(theirs) == []
        await tab.do(AssistantsState, "unshare", form={"id": line.id, "share": share.id, "dialog": "5"})
        assert tab.shown(AssistantsState, "opened").shares == []
        await tab.do(AssistantsState, "remove", assistant_id=line.id)
        assert (names(tab), tab.shown(AssistantsState, "removed")) == ([], line.id)
        await tab.do(AssistantsState, "restore", assistant_id=line.id)
        assert names(tab) == ["Pirate"]
        await tab.do(AssistantsState, "remove", assistant_id=line.id)
        await tab.do(AssistantsState, "delete_for_good", form={"id": line.id, "dialog": "7"})
        assert tab.shown(AssistantsState, "deleted") == []


async def test_a_chat_begins_with_the_assistant_of_the_address_and_names_it(
    services: Services, current_user: CurrentUser, ollama: ScriptedOllama
) -> None:
    ollama.offered = [QUICK, OTHER]
    said = AssistantContent(name="Pirate", model=OTHER, system_prompt="You are a pirate.", starters=("Ahoy!",))
    assistant_id = await services.chat.assistants.create(current_user, said)
    async with open_tab(await signed_in_as(services, current_user)) as tab:
        tab.be_at(assistant=str(assistant_id))
        await tab.do(ThreadState, "open")
        assert (tab.shown(ChosenAssistantState, "name"), tab.shown(ChosenAssistantState, "starters")) == (
            "Pirate",
            ["Ahoy!"],
        )
        assert tab.shown(ModelPickerState, "model") == OTHER
        assert [item.name for item in tab.shown(ChosenAssistantState, "choices")] == ["Pirate"]
        await tab.do(ThreadState, "send", text="Ahoy!", client_id=str(new_id()))
        born = (await tab.until(lambda: tab.shown(ThreadState, "born")))["conversation_id"]
        await ended(services, current_user, UUID(born))
        assert ollama.asked[-1]["messages"][0]["content"] == "You are a pirate."
        assert tab.shown(ChosenAssistantState, "name") == "Pirate"
        changed = AssistantContent(name="Captain", model=OTHER, system_prompt="You are a captain.")
        await services.chat.assistants.change(current_user, assistant_id, changed, CALLER, version=1)
        tab.visit(born)
        await tab.do(ThreadState, "open")
        assert (tab.shown(ChosenAssistantState, "version"), tab.shown(ChosenAssistantState, "newest")) == (1, 2)
        await tab.do(ChosenAssistantState, "use_newest", conversation_id=born)
        assert (tab.shown(ChosenAssistantState, "name"), tab.shown(ChosenAssistantState, "version")) == ("Captain", 2)
        await tab.do(ChosenAssistantState, "leave", conversation_id=born)
        assert tab.shown(ChosenAssistantState, "id") == ""
        # A new chat begins without one, and says it when the one of the address is not there.
        for wanted in (str(new_id()), "nothing"):
            tab.be_at(assistant=wanted)
            await tab.do(ThreadState, "open")
            assert tab.shown(ChosenAssistantState, "id") == "" and tab.shown(ChosenAssistantState, "notice")
        tab.visit()
        await tab.do(ThreadState, "open")
        assert tab.shown(ChosenAssistantState, "notice") == ""


async def test_a_readers_page_stays_when_the_owner_changes_the_assistant(
    services: Services, current_user: CurrentUser, owner_url: str
) -> None:
    chat, reader = services.chat, add_user(owner_url, "Reader")
    assistant_id = await chat.assistants.create(current_user, AssistantContent(name="Pirate", system_prompt="Arr."))
    turn = await chat.messages.send_message(current_user, None, "Ahoy!", QUICK, assistant_id=assistant_id)
    await services.access.grants.add(
        current_user, principal_kind="user", principal=str(reader.user_id), resource_kind="conversation",
        resource=str(turn.conversation_id), action="read", client_info=CALLER,
    )  # fmt: skip
    await ended(services, current_user, turn.conversation_id)
    async with open_tab(await signed_in_as(services, reader)) as tab:
        tab.visit(str(turn.conversation_id))
        await tab.send_event(ThreadState, "open")
        await tab.until(lambda: tab.shown(ThreadState, "is_shared"))
        await chat.conversation_assistants.choose(current_user, turn.conversation_id, None)
        await chat.configurations.change(current_user, turn.conversation_id, "Be brief.", {"seed": 7})
        await chat.conversations.rename(current_user, turn.conversation_id, "Another title")
        await tab.until(lambda: tab.shown(ThreadState, "title") == "Another title")
        assert not tab.shown(ThreadState, "missing") and tab.shown(ChosenAssistantState, "id") == ""
