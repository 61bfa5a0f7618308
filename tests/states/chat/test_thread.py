"""A tab: asking, streaming, stopping, a second tab, and what is sent for it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from rxchat.connections import Connections
from rxchat.domain.accounts import ClientInfo
from rxchat.domain.errors import NotFound
from rxchat.domain.ids import new_id
from rxchat.lifespan import running
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from rxchat.states.chat.model_picker import ModelPickerState
from rxchat.states.chat.presenters import in_pieces
from rxchat.states.chat.sidebar import SidebarState
from rxchat.states.chat.stream import StreamState
from rxchat.states.chat.thread import ThreadState
from rxchat.states.platform.current_user import CurrentUserState
from tests.factories import first_administrator
from tests.peers.gateway import gateway
from tests.peers.scripted_ollama import ScriptedOllama
from tests.states.chat.steps import ENDLESS, QUICK, SLOW, ask, at_conversation, send, shown_run
from tests.tab import open_tab, open_tabs

pytestmark = pytest.mark.anyio

_THREAD, _STREAM = ThreadState.get_full_name(), StreamState.get_full_name()


@pytest.fixture
async def cookie(services: Services, ollama: ScriptedOllama) -> str:
    ollama.offered = [SLOW, ENDLESS, QUICK, "scripted:fault=cut,at=3"]
    return await first_administrator(services)


async def test_the_page_greets_and_offers_the_models(cookie: str) -> None:
    async with open_tab(cookie) as tab:
        await at_conversation(tab)
        assert (tab.shown(CurrentUserState, "name"), tab.shown(CurrentUserState, "is_admin")) == ("Ada", True)
        assert [item.name for item in tab.shown(ModelPickerState, "models")] == [
            SLOW,
            ENDLESS,
            QUICK,
            "scripted:fault=cut,at=3",
        ]
        assert tab.shown(ModelPickerState, "model") == SLOW
        assert tab.patches == [{"number": 1, "change": "set", "items": [], "older": False}]


async def test_a_question_is_shown_streamed_and_finished(cookie: str) -> None:
    async with open_tab(cookie) as tab:
        await at_conversation(tab)
        conversation_id = await ask(tab, "What is this?")
        await tab.until(lambda: tab.shown(ThreadState, "run").get("state") == "answering")
        answer = await tab.until(tab.answer)
        assert tab.patches[-1]["change"] == "finish" and "text" not in tab.patches[-1]["item"]
        assert (answer["text"], answer["state"], answer["length"]) == ("word " * 60, "done", 300)
        assert answer["reasoning"] == "".join(f"thought {number} " for number in range(6))
        await tab.until(lambda: tab.shown(ThreadState, "run").get("state") == "")
        group = tab.shown(SidebarState, "groups")[0]
        assert (group.label, group.rows[0].id, group.rows[0].title) == ("Today", conversation_id, "What is this?")
        assert [patch["number"] for patch in tab.patches] == list(range(1, len(tab.patches) + 1))


async def test_a_tab_that_comes_late_gets_all_of_it(cookie: str) -> None:
    async with open_tabs(cookie, cookie) as (first, second):
        await at_conversation(first)
        conversation_id = await ask(first, "go")
        await first.until(lambda: len(first.packets) > 8)
        await at_conversation(second, conversation_id)
        late, early = await second.until(second.answer), await first.until(first.answer)
        assert late["text"] == early["text"] == "word " * 60


async def test_what_one_tab_asks_another_one_shows(cookie: str) -> None:
    async with open_tabs(cookie, cookie) as (first, second):
        await at_conversation(first)
        conversation_id = await ask(first, "go", QUICK)
        await first.until(first.answer)
        await at_conversation(second, conversation_id)
        question = str(new_id())
        await first.send_event(ThreadState, "send", text="and again", client_id=question)
        appended = await second.until(lambda: [patch for patch in second.patches if patch["change"] == "append"])
        assert [item["role"] for item in appended[0]["items"]] == ["user", "assistant"]
        assert (appended[0]["items"][0]["client_id"], appended[0]["items"][0]["text"]) == (question, "and again")
        assert (await second.until(second.answer))["text"] == "word " * 5


async def test_a_run_is_shown_with_its_message_and_its_first_words_come_before_its_state(
    cookie: str, ollama: ScriptedOllama
) -> None:
    held = "scripted:tokens=5,hold=0"
    ollama.offered = [QUICK, held]
    async with open_tab(cookie) as tab:
        await at_conversation(tab)
        await ask(tab, "go")
        await tab.until(tab.answer)
        await tab.until(lambda: tab.shown(ThreadState, "run").get("state") == "")
        await tab.do(ModelPickerState, "choose", name=held)
        before = len(tab.frames)

        def updates(var: str) -> list[tuple[int, dict[str, Any]]]:
            """Where a var was sent since then, with all that was sent of the thread's state."""
            deltas = [json.loads(frame).get("delta") or {} for frame in tab.frames[before:]]
            own = [{**delta.get(_THREAD, {}), **delta.get(_STREAM, {})} for delta in deltas]
            return [(at, changes) for at, changes in enumerate(own) if f"{var}_rx_state_" in changes]

        await send(tab, "and again")
        await tab.until(lambda: updates("patch"))
        shown = updates("patch")[0][1]
        assert shown["patch_rx_state_"]["change"] == "append" and shown["run_rx_state_"]["state"] == "waiting"
        ollama.go_on()
        await tab.until(lambda: tab.shown(ThreadState, "run").get("state") == "")
        states = [(at, changes["run_rx_state_"]["state"]) for at, changes in updates("run")]
        assert [state for _, state in states] == ["waiting", "answering", ""]
        assert updates("window")[0][0] < states[1][0]


async def test_stop_in_one_tab_stops_it_in_the_other(cookie: str) -> None:
    async with open_tabs(cookie, cookie) as (first, second):
        await at_conversation(first)
        conversation_id = await ask(first, "go", ENDLESS)
        await at_conversation(second, conversation_id)
        await second.until(lambda: len(second.packets) > 3)
        await second.send_event(ThreadState, "stop")
        for tab in (first, second):
            answer = await tab.until(tab.answer)
            assert answer["state"] == "stopped" and answer["text"].startswith("word ")
            await tab.until(lambda tab=tab: tab.shown(ThreadState, "run").get("state") == "")


async def test_a_late_stop_leaves_the_next_answer_alone(cookie: str) -> None:
    async with open_tab(cookie) as tab:
        await at_conversation(tab)
        await ask(tab, "go", ENDLESS)
        first = await tab.until(lambda: tab.shown(ThreadState, "run").get("id"))
        await send(tab, "and then?")
        await tab.do(ThreadState, "stop", message_id=first)
        run = await tab.until(lambda: shown_run(tab, first))
        await tab.do(ThreadState, "stop", message_id=first)
        await tab.do(ThreadState, "stop", message_id="nonsense")
        assert tab.shown(ThreadState, "problem") == NotFound().message
        assert shown_run(tab, first) == run
        await tab.do(ThreadState, "stop", message_id=run)
        assert (await tab.until(tab.answer))["state"] == "stopped"


async def test_a_failed_answer_says_why_and_retry_writes_it_in_its_place(cookie: str) -> None:
    async with open_tab(cookie) as tab:
        await at_conversation(tab)
        await ask(tab, "go", "scripted:fault=cut,at=3")
        failed = await tab.until(tab.answer)
        assert failed["state"] == "failed" and "stopped during the answer" in failed["error"]
        count = len(tab.patches)
        await tab.send_event(ThreadState, "retry", message_id=failed["id"])
        await tab.until(lambda: len(tab.patches) >= count + 2)
        assert tab.patches[count]["change"] == "replace" and tab.patches[count]["item"]["state"] == "running"
        assert (await tab.until(tab.answer))["id"] == failed["id"]


async def test_what_is_sent_again_to_a_process_that_knows_nothing_of_it_is_asked_once(cookie: str) -> None:
    question = str(new_id())
    async with open_tab(cookie) as tab:
        await at_conversation(tab)
        conversation_id = await ask(tab, "go", QUICK)
        await tab.until(tab.answer)
        await send(tab, "again", question)
    async with open_tab(cookie) as tab:
        # The first that it hears: the page has not been opened there yet.
        tab.visit(conversation_id)
        await send(tab, "again", question)
        assert tab.begun_by(question) == ""
        await at_conversation(tab, conversation_id)
        assert tab.shown(ThreadState, "accepted") == ""
        assert [item["text"] for item in tab.messages() if item["role"] == "user"] == ["go", "again"]
    async with open_tab(cookie) as tab:
        await at_conversation(tab)
        await send(tab, "again", question)
        assert tab.begun_by(question) == conversation_id


async def test_what_waits_is_known_when_somebody_has_looked_and_stays_when_the_page_opens_again(cookie: str) -> None:
    async with open_tab(cookie) as tab:
        await at_conversation(tab)
        assert tab.shown(ThreadState, "waiting") == []
        conversation_id = await ask(tab, "go", ENDLESS)
        await send(tab, "wait here")
        waiting = await tab.until(lambda: tab.shown(ThreadState, "waiting"))
        tab.frames.clear()
        await at_conversation(tab, conversation_id)
        deltas = [json.loads(frame).get("delta") or {} for frame in tab.frames]
        shown = [delta.get(ThreadState.get_full_name(), {}) for delta in deltas]
        assert all(values.get("waiting_rx_state_", waiting) == waiting for values in shown)
    async with open_tab(cookie) as tab:
        tab.visit(conversation_id)
        await tab.do(ThreadState, "open")
        assert waiting == await tab.until(lambda: tab.shown(ThreadState, "waiting"))
        await tab.do(ThreadState, "withdraw", message_id=waiting[0]["id"])
        await tab.until(lambda: tab.shown(ThreadState, "waiting") == [])
        await tab.do(ThreadState, "stop")


async def test_a_long_text_that_waits_is_read_whole_by_its_owner_alone_and_no_frame_is_over_64_kb(
    services: Services, cookie: str
) -> None:
    current_user = await services.accounts.sessions.current_user(cookie)
    async with open_tab(cookie) as tab:
        await at_conversation(tab)
        conversation_id = UUID(await ask(tab, "go", ENDLESS))
        text = "\x01🙂" * 12_000
        message_id = UUID(await send(tab, text))
        await tab.until(lambda: tab.shown(ThreadState, "waiting"))
        queued_text = services.chat.conversations.queued_text
        assert await queued_text(current_user, conversation_id, message_id) == text
        assert max(len(frame.encode()) for frame in tab.frames) < 64_000
        with pytest.raises(NotFound, match="no longer queued"):
            await queued_text(current_user, conversation_id, new_id())
        await tab.do(ThreadState, "stop")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("x" * 300_000, "300,000 characters"), ("go", "No model"), (" \n\x1c", "Enter a message")],
)
async def test_a_refused_message_comes_back_with_a_sentence(
    cookie: str, ollama: ScriptedOllama, text: str, sentence: str
) -> None:
    if text == "go":
        ollama.offered = []
    async with open_tab(cookie) as tab:
        await at_conversation(tab)
        client_id = str(new_id())
        await tab.send_event(ThreadState, "send", text=text, client_id=client_id)
        refused = await tab.until(lambda: tab.shown(ThreadState, "refused"))
        assert refused["id"] == client_id and sentence in refused["text"]
        assert tab.begun_by(client_id) == ""


async def test_rename_remove_and_undo(cookie: str) -> None:
    async with open_tab(cookie) as tab:
        await at_conversation(tab)
        conversation_id = await ask(tab, "go", QUICK)
        await tab.until(tab.answer)
        await tab.send_event(SidebarState, "rename", form={"id": conversation_id, "title": "  A better\nname "})
        await tab.until(lambda: tab.shown(ThreadState, "title") == "A better name")
        await tab.until(lambda: tab.shown(SidebarState, "groups")[0].rows[0].title == "A better name")
        await tab.send_event(SidebarState, "remove", conversation_id=conversation_id)
        await tab.until(lambda: tab.shown(SidebarState, "flash") == "Deleted “A better name”")
        assert tab.shown(SidebarState, "groups") == []
        await tab.send_event(SidebarState, "undo")
        await tab.until(lambda: tab.shown(SidebarState, "flash") == "")
        assert tab.shown(SidebarState, "groups")[0].rows[0].id == conversation_id


async def test_signing_out_elsewhere_reaches_an_open_tab(services: Services, cookie: str) -> None:
    async with open_tab(cookie) as tab:
        await at_conversation(tab)
        current_user = await services.accounts.sessions.current_user(cookie)
        await services.accounts.sessions.sign_out(current_user, ClientInfo())
        await tab.send_event(ThreadState, "send", text="still here?", client_id=str(new_id()))
        assert await tab.until(lambda: tab.redirects) == ["/sign-in?next=/"]


async def test_signing_out_elsewhere_ends_a_stream(services: Services, cookie: str) -> None:
    async with open_tab(cookie) as tab:
        await at_conversation(tab)
        await ask(tab, "go", ENDLESS)
        await tab.until(lambda: len(tab.packets) > 3)
        await services.accounts.sessions.sign_out(await services.accounts.sessions.current_user(cookie), ClientInfo())
        assert "/sign-in?next=" in (await tab.until(lambda: tab.redirects))[0]
        count = len(tab.packets)
        async with open_tab() as other:
            await other.send_event(ThreadState, "stop")
            await other.until(lambda: other.redirects)
        assert len(tab.packets) == count


async def test_a_page_opened_without_a_database_loads_when_it_is_back(
    settings: Settings, at: Connections, ollama: ScriptedOllama
) -> None:
    async with (
        gateway(at.database_url) as between,
        running(settings, replace(at, database_url=between.url)) as services,
    ):
        sealed = await first_administrator(services)
        async with open_tab(sealed) as tab:
            await between.close()
            await tab.send_event(ThreadState, "open")
            await tab.until(lambda: "database does not respond" in tab.shown(ThreadState, "problem"), 20)
            assert tab.patches == []
            await between.open()
            await tab.until(lambda: tab.patches and tab.shown(CurrentUserState, "name") == "Ada", 30)
            await tab.until(lambda: tab.shown(ThreadState, "problem") == "")
            assert tab.shown(SidebarState, "loaded")
            await between.close()
            await tab.send_event(ThreadState, "resync")
            await tab.until(lambda: "database does not respond" in tab.shown(ThreadState, "problem"), 20)
            await between.open()
            await tab.until(lambda: tab.shown(ThreadState, "problem") == "", 30)


async def test_a_model_host_that_was_away_at_first_is_found_when_something_is_asked(
    cookie: str, ollama: ScriptedOllama, services: Services
) -> None:
    services.models.catalog._offer = None
    await ollama.stop()
    async with open_tab(cookie) as tab:
        await at_conversation(tab)
        await tab.until(lambda: ollama.host in tab.shown(ModelPickerState, "notice"))
        await ollama.start()
        client_id = str(new_id())
        await tab.send_event(ThreadState, "send", text="hello", client_id=client_id)
        await tab.until(lambda: tab.shown(ThreadState, "accepted") == client_id)
        assert tab.shown(ModelPickerState, "notice") == ""


def test_a_page_of_long_messages_goes_out_in_pieces_the_last_message_first() -> None:
    items = [{"id": str(number), "text": str(number) * 9_000, "reasoning": ""} for number in range(3)]
    cut, rest = in_pieces(items)
    assert [len(item["text"]) for item in cut] == [0, 1_000, 9_000]
    for patch in rest:
        assert sum(len(piece["text"]) for piece in patch["pieces"]) <= 10_000
        for piece in patch["pieces"]:
            item = next(item for item in cut if item["id"] == piece["id"])
            assert len(item[piece["kind"]]) == piece["offset"]
            item[piece["kind"]] += piece["text"]
    assert [item["text"] for item in cut] == [item["text"] for item in items]


def test_a_message_that_is_looked_for_has_its_text_first_and_short_ones_come_together() -> None:
    items = [{"id": str(number), "text": f"{number:03}" * 100, "reasoning": ""} for number in range(100)]
    cut, rest = in_pieces(items, first="40")
    assert [item["id"] for item in cut if item["text"]] == [str(number) for number in range(40, 74)]
    assert [len(patch["pieces"]) for patch in rest] == [33, 33, 1]


async def test_a_long_text_is_fetched_piece_by_piece_and_no_frame_is_over_64_kb(cookie: str) -> None:
    async with open_tab(cookie) as tab:
        await at_conversation(tab)
        question = "".join(f"line {number}\n" for number in range(4_000)).strip()
        conversation_id = await ask(tab, question, QUICK)
        tab.patches.clear()
        tab.frames.clear()
        await at_conversation(tab, conversation_id)
        while tab.patches[-1].get("more"):
            count = len(tab.patches)
            await tab.do(ThreadState, "more")
            await tab.until(lambda count=count: len(tab.patches) > count)
        assert tab.messages()[0]["text"] == question
        assert max(len(frame.encode()) for frame in tab.frames) < 64_000


async def test_older_messages_are_not_piled_up_while_pieces_of_others_are_to_come(
    services: Services, cookie: str
) -> None:
    current_user = await services.accounts.sessions.current_user(cookie)
    turn = await services.chat.messages.send_message(current_user, None, "long " * 5_000, QUICK)
    async with open_tab(cookie) as tab:
        await at_conversation(tab, turn.conversation_id)
        before_id = tab.messages()[0]["id"]
        assert tab.patches[-1].get("more")
        for _ in range(3):
            count = len(tab.patches)
            await tab.do(ThreadState, "older", before_id=before_id)
            assert {"change": "prepend", "items": [], "older": True} in [
                {name: patch.get(name) for name in ("change", "items", "older")} for patch in tab.patches[count:]
            ]
        while tab.patches[-1].get("more"):
            await tab.do(ThreadState, "more")
        await tab.do(ThreadState, "older", before_id=before_id)
        # The answer may end at the same time, which is a patch, too.
        last = [patch for patch in tab.patches if patch["change"] == "prepend"][-1]
        shown = {"number": 0, "change": "prepend", "items": [], "older": False, "before": before_id}
        assert last | {"number": 0} == shown
