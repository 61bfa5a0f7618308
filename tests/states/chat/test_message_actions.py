"""What a user does with a message is shown in all tabs of the conversation, from the place where it changes."""

from __future__ import annotations

from typing import Any

import pytest

from rxchat.domain.ids import new_id
from rxchat.services.app.container import Services
from rxchat.states.chat.message_actions import MessageActionsState
from rxchat.states.chat.model_picker import ModelPickerState
from rxchat.states.chat.thread import ThreadState
from tests.factories import first_administrator
from tests.peers.scripted_ollama import ScriptedOllama
from tests.states.chat.steps import ENDLESS, QUICK, arrive, ask, at_conversation, send
from tests.tab import Tab, open_tab, open_tabs

pytestmark = pytest.mark.anyio

OTHER = "scripted:tokens=7"


@pytest.fixture
async def cookie(services: Services, ollama: ScriptedOllama) -> str:
    ollama.offered = [QUICK, OTHER, ENDLESS]
    return await first_administrator(services)


async def two_turns(tab: Tab) -> str:
    """Ask twice on one page, and wait until both are answered."""
    await at_conversation(tab)
    conversation_id = await ask(tab, "one", QUICK)
    await tab.until(tab.answer)
    await send(tab, "two")
    await tab.until(lambda: len(tab.messages()) == 4 and tab.answer())
    return conversation_id


def shown(tab: Tab) -> list[str]:
    return [tab.page.text(message["id"]).strip() or message["text"] for message in tab.messages()]


def form(message: dict[str, Any], text: str, number: int = 1) -> dict[str, str]:
    return {"id": message["id"], "text": text, "client_id": str(new_id()), "dialog": str(number)}


async def test_an_edited_question_replaces_what_follows_in_every_tab(cookie: str) -> None:
    async with open_tabs(cookie, cookie) as (first, second):
        conversation_id = await two_turns(first)
        await at_conversation(second, conversation_id)
        sets = [sum(patch["change"] == "set" for patch in tab.patches) for tab in (first, second)]
        question = first.messages()[2]
        await first.do(MessageActionsState, "edit", form=form(question, "two, but better", 5))
        assert first.shown(MessageActionsState, "done_dialog") == 5
        for tab in (first, second):
            await tab.until(lambda tab=tab: shown(tab)[2:3] == ["two, but better"] and tab.answer())
            assert shown(tab) == ["one", "word " * 4 + "word", "two, but better", "word " * 4 + "word"]
            assert tab.messages()[2]["versions"] == [question["id"], tab.messages()[2]["id"]]
        assert [sum(patch["change"] == "set" for patch in tab.patches) for tab in (first, second)] == sets
        await second.do(MessageActionsState, "show_version", message_id=question["id"])
        for tab in (first, second):
            await tab.until(lambda tab=tab: shown(tab)[2:3] == ["two"])
        await send(first, "three")
        for tab in (first, second):
            await tab.until(lambda tab=tab: len(tab.messages()) == 6 and tab.answer())
            assert shown(tab)[::2] == ["one", "two", "three"]


async def test_another_answer_streams_in_place_of_the_first_by_the_model_that_is_chosen(cookie: str) -> None:
    async with open_tab(cookie) as tab:
        await two_turns(tab)
        earlier = tab.messages()[3]
        await tab.send_event(ModelPickerState, "choose", name=OTHER)
        await tab.do(MessageActionsState, "regenerate", message_id=earlier["id"])
        await tab.until(lambda: tab.messages()[-1]["id"] != earlier["id"] and tab.answer())
        latest = tab.messages()[-1]
        assert (latest["model"], latest["versions"]) == (OTHER, [earlier["id"], latest["id"]])
        assert len(shown(tab)[3].split()) == 7 and len(tab.messages()) == 4


async def test_a_deleted_message_leaves_with_what_follows_and_comes_back(cookie: str) -> None:
    async with open_tab(cookie) as tab:
        await two_turns(tab)
        before = shown(tab)
        await tab.do(MessageActionsState, "delete", message_id=tab.messages()[1]["id"])
        await tab.until(lambda: len(tab.messages()) == 1)
        # Only what changes is sent.
        assert (tab.patches[-1]["after"], tab.patches[-1]["items"]) == (tab.messages()[0]["id"], [])
        assert tab.shown(MessageActionsState, "deleted") == "Message deleted, and 2 after it."
        await tab.do(MessageActionsState, "undo_delete")
        await tab.until(lambda: shown(tab) == before)
        assert tab.shown(MessageActionsState, "deleted") == ""
        await tab.do(MessageActionsState, "delete", message_id=tab.messages()[0]["id"])
        await tab.until(lambda: tab.messages() == [])
        await send(tab, "a new beginning")
        await tab.until(tab.answer)
        assert shown(tab)[0] == "a new beginning"


async def test_a_fork_is_opened(cookie: str) -> None:
    async with open_tab(cookie) as tab:
        conversation_id = await two_turns(tab)
        await tab.do(MessageActionsState, "fork", message_id=tab.messages()[1]["id"])
        await tab.until(lambda: tab.redirects)
        fork_id = tab.redirects[-1].removeprefix("/c/")
        assert fork_id != conversation_id
        await arrive(tab, fork_id)
        await tab.until(lambda: tab.shown(ThreadState, "title") == "one (fork)")
        assert shown(tab) == ["one", "word " * 4 + "word"]


async def test_a_refused_edit_is_said_in_its_dialog(cookie: str) -> None:
    async with open_tab(cookie) as tab:
        await two_turns(tab)
        question = tab.messages()[0]
        await tab.do(MessageActionsState, "edit", form=form(question, " ", 3))
        assert tab.shown(MessageActionsState, "problem") == "Enter a message."
        assert tab.shown(MessageActionsState, "problem_field") == "text"
        await tab.send_event(ModelPickerState, "choose", name=ENDLESS)
        await send(tab, "go on for ever")
        await tab.do(MessageActionsState, "edit", form=form(question, "better", 4))
        assert "still being written" in tab.shown(MessageActionsState, "problem")
        assert tab.shown(MessageActionsState, "problem_dialog") == 4
        await tab.do(ThreadState, "stop")


async def test_a_rating_is_shown_in_all_tabs_and_reasons_are_added(cookie: str) -> None:
    async with open_tabs(cookie, cookie) as (tab, other):
        conversation_id = await ask(tab, "Hello", QUICK)
        await at_conversation(other, conversation_id)
        answer = await tab.until(tab.answer)
        await other.until(other.answer)
        await tab.do(MessageActionsState, "rate", message_id=answer["id"], rating="bad")
        for item in (tab, other):
            await item.until(lambda item=item: item.messages()[-1].get("feedback", {}).get("rating") == "bad")
        given = {"dialog": "7", "id": answer["id"], "rating": "bad", "reason:style": "on", "comment": "Dull"}
        await tab.do(MessageActionsState, "explain", form=given)
        await other.until(lambda: other.messages()[-1]["feedback"].get("comment") == "Dull")
        assert other.messages()[-1]["feedback"]["reasons"] == ["style"]
        assert tab.shown(MessageActionsState, "done_dialog") == 7
        await tab.do(MessageActionsState, "explain", form=given | {"dialog": "8", "comment": "x" * 2_001})
        assert tab.shown(MessageActionsState, "problem").startswith("Use at most 2,000 characters")
        assert tab.shown(MessageActionsState, "problem_field") == "comment"
        await tab.do(MessageActionsState, "rate", message_id=answer["id"], rating="")
        await other.until(lambda: other.messages()[-1]["feedback"] == {})
        await tab.do(MessageActionsState, "rate", message_id=answer["id"], rating="excellent")
        assert tab.shown(ThreadState, "problem") == "This is no rating. Reload the page."
