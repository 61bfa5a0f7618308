"""Every handler of every state, called raw as anyone can over the socket; the list comes from Reflex itself."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import get_type_hints

import psycopg
import pytest
import reflex as rx
from reflex.state import BaseState

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.ids import new_id
from rxchat.domain.prompts import TEXT_CHARACTERS
from rxchat.domain.text import ANSWER_CHARACTERS, MESSAGE_CHARACTERS
from rxchat.services.app.container import Services
from rxchat.services.platform.session_tokens import SessionToken, SessionTokens
from rxchat.states.chat.archive import IDS_CHARACTERS
from rxchat.states.chat.thread import ThreadState
from rxchat.states.platform import session_watchdog
from rxchat.states.platform.auth_guard import DOOR
from rxchat.states.platform.tab_registry import tabs
from rxchat.ui.site_map import PAGES
from tests.factories import add_user, first_administrator
from tests.tab import STATES, open_tab

pytestmark = [pytest.mark.anyio, pytest.mark.without_engine]


def our_states(root: type[BaseState] = rx.State) -> list[type[BaseState]]:
    found = [state for state in root.get_substates() if state.__module__.startswith("rxchat.")]
    return found + [deeper for state in found for deeper in our_states(state)]


HANDLERS = sorted(
    ((state, name) for state in our_states() for name in state.event_handlers if name != "setvar"),
    key=lambda handler: (handler[0].get_full_name(), handler[1]),
)
OF_ANY_LENGTH = {
    "ThreadState.send", "ThreadState.change_waiting", "AttachedFilesState.watch", "DocumentsState.remove_documents",
    "DocumentsState.restore_documents",
}  # fmt: skip
"""They cut a list of IDs first, or their service refuses a message in words of its own."""
OF_A_MESSAGE = {
    "MessageActionsState.edit": MESSAGE_CHARACTERS, "MessageActionsState.edit_answer": ANSWER_CHARACTERS,
    "PromptsState.preview": TEXT_CHARACTERS, "PromptsState.save": TEXT_CHARACTERS,
    "ArchiveState.delete_all_for_good": IDS_CHARACTERS, "TemporaryChatState.send": MESSAGE_CHARACTERS,
}  # fmt: skip
BAD_VALUES = [None, 7, [], {"$ne": 1}, "nonsense", "x" * 10_000, "\x00\ud800", str(new_id())]


def arguments_of(state: type[BaseState], name: str) -> list[str]:
    return list(state.event_handlers[name]._parameters)[1:]


def test_the_walk_finds_the_states_that_pages_use() -> None:
    assert set(STATES) <= set(our_states())
    # Whatever a page loads with is found, since the pages are imported here.
    loaded = {handler.fn.__qualname__ for page in PAGES for handler in page.on_load}
    assert loaded <= {state.event_handlers[name].fn.__qualname__ for state, name in HANDLERS}
    assert (ThreadState, "send") in HANDLERS


def test_every_handler_has_a_lock() -> None:
    unlocked = [
        named(handler)
        for handler in HANDLERS
        if getattr(handler[0].event_handlers[handler[1]].fn, DOOR, None) != "signed_in"
    ]
    assert unlocked == []


def named(handler: tuple[type[BaseState], str]) -> str:
    return f"{handler[0].__name__}.{handler[1]}"


async def test_a_handler_that_nobody_guarded_is_never_reached(
    services: Services, signed_in: str, capsys: pytest.CaptureFixture[str], subtests: pytest.Subtests
) -> None:
    assert services
    for state in our_states():
        with subtests.test(state=state.__name__):
            async with open_tab(signed_in) as tab:
                await tab.send_raw(f"{state.get_full_name()}.setvar", var_name="title", value="mine")
                await tab.send_event(ThreadState, "open")
                await tab.until(lambda tab=tab: tab.patches)
                assert tab.shown(ThreadState, "title") == ""
            printed = capsys.readouterr()
            assert "Traceback" not in printed.out + printed.err and signed_in not in printed.out + printed.err


async def test_without_a_session_each_leads_to_the_sign_in_page_and_shows_nothing(
    services: Services, subtests: pytest.Subtests
) -> None:
    assert services
    for cookie in ("", "nonsense", "v4.local.AAAA"):
        for state, name in HANDLERS:
            with subtests.test(handler=named((state, name)), cookie=cookie):
                async with open_tab(cookie) as tab:
                    hints = state.event_handlers[name].fn.__annotations__
                    values = {
                        item: {} if hints.get(item) == "dict" else str(new_id()) for item in arguments_of(state, name)
                    }
                    await tab.send_event(state, name, **values)
                    await tab.until(lambda tab=tab: tab.redirects)
                    assert tab.redirects == ["/sign-in?next=/"]
                    assert tab.patches == []


async def test_wrong_values_are_refused_with_a_sentence_and_the_socket_lives(
    services: Services, signed_in: str, capsys: pytest.CaptureFixture[str], subtests: pytest.Subtests
) -> None:
    assert services
    for state, name in [item for item in HANDLERS if arguments_of(*item)]:
        with subtests.test(handler=named((state, name))):
            async with open_tab(signed_in) as tab:
                for value in BAD_VALUES:
                    await tab.send_event(state, name, **dict.fromkeys(arguments_of(state, name), value))
                await tab.send_event(state, name, current_user="me", extra=1)
                await tab.send_event(ThreadState, "open")
                await tab.until(lambda tab=tab: "set" in [patch["change"] for patch in tab.patches])
            printed = capsys.readouterr()
            assert "Traceback" not in printed.out + printed.err
            assert signed_in not in printed.out + printed.err


async def test_long_texts_are_refused_before_anything_is_done_with_them(
    services: Services, signed_in: str, subtests: pytest.Subtests
) -> None:
    """Cleaning two million characters would stop the event loop for a second."""
    assert services
    handlers = [item for item in HANDLERS if arguments_of(*item) and named(item) not in OF_ANY_LENGTH]
    async with open_tab(signed_in) as tab:
        for number, (state, name) in enumerate(handlers):
            with subtests.test(handler=named((state, name))):
                # Of another length each time, so that each refusal is another sentence.
                long = "x" * (1_000_000 + number)
                kinds = get_type_hints(state.event_handlers[name].fn)
                values = {
                    item: {"a": [long]} if kinds.get(item) is dict else long for item in arguments_of(state, name)
                }
                before = len(tab.frames)
                await tab.do(state, name, **values)
                shown = json.dumps(tab.frames[before:])
                maximum = OF_A_MESSAGE.get(named((state, name)), 10_000)
                assert f"{len(long):,} characters; the maximum is {maximum:,}" in shown


@pytest.fixture
async def signed_in(services: Services) -> str:
    """The cookie of somebody who is signed in."""
    return await first_administrator(services)


async def test_a_strangers_conversation_looks_like_one_that_is_not_there(
    services: Services, signed_in: str, owner_url: str
) -> None:
    owner: CurrentUser = add_user(owner_url, "Owner")
    turn = await services.chat.messages.send_message(owner, None, "a secret question", "scripted:tokens=20")
    pages = []
    for conversation_id in (turn.conversation_id, new_id(), "no-id-at-all", "0" * 36):
        async with open_tab(signed_in) as tab:
            tab.visit(conversation_id)
            await tab.send_event(ThreadState, "open")
            await tab.until(lambda: tab.shown(ThreadState, "missing"))
            assert tab.patches == [] and "secret" not in json.dumps(tab.frames)
            pages.append((tab.shown(ThreadState, "title"), tab.shown(ThreadState, "problem"), tab.redirects))
    assert all(page == pages[0] for page in pages)


@pytest.mark.parametrize("successor", ["somebody else", "nobody"])
async def test_a_tab_that_changes_hands_shows_nothing_of_before(
    services: Services, signed_in: str, owner_url: str, successor: str
) -> None:
    current_user = await services.accounts.sessions.current_user(signed_in)
    turn = await services.chat.messages.send_message(current_user, None, "a secret question", "scripted:tokens=2")
    async with open_tab(signed_in) as tab:
        tab.visit(turn.conversation_id)
        await tab.send_event(ThreadState, "open")
        await tab.until(lambda: "a secret question" in json.dumps(tab.patches))
        tab.frames.clear()
        tab.cookie = "" if successor == "nobody" else f"rxchat_session={sealed_for(owner_url)}"
        tab.visit()
        await tab.send_raw("reflex___state____state.hydrate")
        await tab.until(lambda: tab.frames)
        shown = json.dumps(tab.frames)
        assert "secret" not in shown and str(turn.conversation_id) not in shown and "Ada" not in shown


def sealed_for(owner_url: str) -> str:
    """Return the cookie of somebody else who is signed in."""
    other = add_user(owner_url, "Eve")
    with psycopg.connect(owner_url) as connection:
        connection.execute(
            "INSERT INTO user_session (user_id, id, expires_at) VALUES (%s, %s, now() + interval '1 day')",
            (other.user_id, other.session_id),
        )
    return SessionTokens(b"k" * 32).session(SessionToken(other.user_id, other.session_id), timedelta(days=1))


async def test_what_is_private_in_a_state_never_reaches_the_browser() -> None:
    for state in our_states():
        assert not [name for name in state.vars if name.startswith("_")]
        assert not {"current_user", "user_id", "session_id", "cookie"} & {*state.base_vars, *state.computed_vars}


def test_a_tab_on_the_page_of_a_link_stays_there_whatever_becomes_of_its_session() -> None:
    session_watchdog.track("a tab", "a cookie", "/reset#token=secret")
    assert "a tab" not in tabs.sessions()
    session_watchdog.track("a tab", "a cookie", "/documents#top")
    assert tabs.sessions()["a tab"] == ("a cookie", "/documents#top")
