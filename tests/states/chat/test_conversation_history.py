"""The page of a conversation's history: the slider, the messages at that moment, the map, and the ways back."""

from __future__ import annotations

from typing import Any

import pytest

from rxchat.domain.ids import new_id
from rxchat.services.app.container import Services
from rxchat.states.chat import conversation_history
from rxchat.states.chat.conversation_history import HistoryState
from rxchat.states.chat.message_actions import MessageActionsState
from rxchat.states.chat.thread import ThreadState
from tests.factories import first_administrator
from tests.peers.scripted_ollama import ScriptedOllama
from tests.states.chat.steps import QUICK, ask, at_conversation, send
from tests.tab import Tab, open_tab, open_tabs

pytestmark = pytest.mark.anyio


@pytest.fixture
async def cookie(services: Services, ollama: ScriptedOllama) -> str:
    ollama.offered = [QUICK]
    return await first_administrator(services)


async def two_turns(tab: Tab) -> str:
    """Ask twice, and change the first question; return the conversation."""
    await at_conversation(tab)
    conversation_id = await ask(tab, "one", QUICK)
    await tab.until(tab.answer)
    await send(tab, "two")
    await tab.until(lambda: len(tab.messages()) == 4 and tab.answer())
    first = tab.messages()[0]
    form = {"id": first["id"], "text": "one, but better", "client_id": str(new_id()), "dialog": "1"}
    await tab.do(MessageActionsState, "edit", form=form)
    await tab.until(lambda: len(tab.messages()) == 2 and tab.answer())
    return conversation_id


async def at_history(tab: Tab, conversation_id: str) -> None:
    tab.be_at(history_of=conversation_id)
    await tab.do(HistoryState, "load")


def shown(tab: Tab, name: str) -> Any:
    return tab.shown(HistoryState, name)


def texts(tab: Tab) -> list[str]:
    return [message["text"] for message in shown(tab, "messages") if message["role"] == "user"]


async def test_each_step_shows_what_happened_and_what_was_shown_then(cookie: str) -> None:
    async with open_tab(cookie) as tab:
        await at_history(tab, await two_turns(tab))
        assert texts(tab) == ["one, but better"] and shown(tab, "words") == "The answer was complete"
        last = shown(tab, "latest")
        assert shown(tab, "seq") == last and shown(tab, "title") == "one"
        words = []
        for seq in range(1, last + 1):
            await tab.do(HistoryState, "show", seq=str(seq))
            assert shown(tab, "seq") == seq
            words.append((shown(tab, "words"), len(shown(tab, "messages"))))
        began, complete = f"{QUICK} began to answer", "The answer was complete"
        assert words == [
            ("The conversation was created", 0),
            ("You asked: “one”", 1), (began, 1), (complete, 2),
            ("You asked: “two”", 3), (began, 3), (complete, 4),
            ("You asked another version: “one, but better”", 1), (began, 1), (complete, 2),
        ]  # fmt: skip
        assert "versions" not in shown(tab, "messages")[0]


async def test_the_map_has_a_lane_for_each_version_and_leads_to_it(cookie: str) -> None:
    async with open_tab(cookie) as tab:
        conversation_id = await two_turns(tab)
        await at_history(tab, conversation_id)
        lines = shown(tab, "lines")
        assert [(line.kind, line.who, line.words.strip(), line.is_shown) for line in lines] == [
            ("start", "", "Start", True),
            ("question", "You", "one", False),
            ("answer", QUICK, "word word word word word", False),
            ("question", "You", "two", False),
            ("answer", QUICK, "word word word word word", False),
            ("question", "You", "one, but better", True),
            ("answer", QUICK, "word word word word word", True),
        ]
        assert [line.x for line in lines] == [12, 30, 30, 30, 30, 12, 12] and shown(tab, "map_width") == 42
        # The shown branch passes by the other one, and is drawn as one line.
        assert lines[2].shown_path == "M12 0V40" and lines[2].path == "M30 0V20 M30 20V40"
        assert lines[1].path.startswith("M12 0C") and lines[6].shown_path == "M12 0V20"
        assert lines[0].address == "" and lines[1].address.startswith(f"/c/{conversation_id}?m=")
        await tab.do(HistoryState, "show", seq="4")
        assert [line.is_shown for line in shown(tab, "lines")] == [True, True, True]


async def test_what_was_shown_returns_in_every_tab_and_that_is_undone(cookie: str) -> None:
    async with open_tabs(cookie, cookie) as (tab, other):
        conversation_id = await two_turns(tab)
        await at_conversation(other, conversation_id)
        await at_history(tab, conversation_id)
        await tab.do(HistoryState, "show", seq="7")
        await tab.do(HistoryState, "restore")
        assert (shown(tab, "flash"), shown(tab, "can_undo")) == ("The conversation is as it was then.", True)
        assert texts(tab) == ["one", "two"] and shown(tab, "seq") == shown(tab, "latest")
        await other.until(
            lambda: [item["text"] for item in other.messages() if item["role"] == "user"] == ["one", "two"]
        )
        await tab.do(HistoryState, "undo")
        assert texts(tab) == ["one, but better"] and not shown(tab, "can_undo")
        await tab.do(HistoryState, "restore")
        assert shown(tab, "problem") == "The conversation is as it was then."
        await tab.do(HistoryState, "show", seq="4")
        assert shown(tab, "problem") == ""
        await tab.do(HistoryState, "fork")
        assert tab.redirects[-1].startswith("/c/") and conversation_id not in tab.redirects[-1]


async def test_deleted_messages_lead_nowhere_and_long_histories_are_shown_in_parts(
    cookie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation_history, "_CHARACTERS", 30)
    async with open_tab(cookie) as tab:
        conversation_id = await two_turns(tab)
        await tab.do(MessageActionsState, "delete", message_id=tab.messages()[0]["id"])
        await tab.until(lambda: len(tab.messages()) == 4)
        await at_history(tab, conversation_id)
        gone = [line for line in shown(tab, "lines") if not line.address and line.kind != "start"]
        assert [(line.words.strip(), line.is_deleted) for line in gone] == [
            ("one, but better", True),
            ("word word word word word", False),
        ]
        assert (len(shown(tab, "messages")), shown(tab, "earlier")) == (2, 2)
        await tab.do(HistoryState, "show_earlier")
        assert (len(shown(tab, "messages")), shown(tab, "earlier")) == (4, 0)


async def test_another_users_conversation_is_not_there(cookie: str) -> None:
    async with open_tab(cookie) as tab:
        await two_turns(tab)
        for found in (str(new_id()), "nonsense", ""):
            await at_history(tab, found)
            assert shown(tab, "missing") and not shown(tab, "loaded")
        await tab.do(HistoryState, "show", seq="1")
        assert shown(tab, "problem") != ""
        for wrong in ("-1", "1e9", "９", ""):
            await tab.do(HistoryState, "show", seq=wrong)
            assert "Reload the page" in shown(tab, "problem")
        assert tab.shown(ThreadState, "problem") == ""
