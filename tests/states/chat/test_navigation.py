"""Which navigations load the conversation, and which leave what is shown as it is."""

from __future__ import annotations

import pytest

from rxchat.services.app.container import Services
from rxchat.states.chat.model_picker import ModelPickerState
from rxchat.states.chat.thread import ThreadState
from rxchat.states.platform.current_user import CurrentUserState
from tests.factories import first_administrator
from tests.peers.scripted_ollama import ScriptedOllama
from tests.states.chat.steps import QUICK, arrive, ask, at_conversation, send
from tests.tab import Tab, open_tab

pytestmark = pytest.mark.anyio


@pytest.fixture
async def cookie(services: Services, ollama: ScriptedOllama) -> str:
    ollama.offered = [QUICK]
    return await first_administrator(services)


async def go_to(tab: Tab, path: str) -> None:
    """Go to a path, and load what its page shows."""
    tab.path = path
    await tab.send_event(CurrentUserState, "enter")
    await tab.do(ThreadState, "open")


def loads(tab: Tab) -> int:
    """How often the tab received a whole conversation."""
    return len([patch for patch in tab.patches if patch["change"] == "set"])


async def test_a_new_chat_follows_its_answer_before_its_address_changes_and_loads_nothing_then(cookie: str) -> None:
    async with open_tab(cookie) as tab:
        await at_conversation(tab)
        await tab.do(ModelPickerState, "choose", name=QUICK)
        client_id = await send(tab, "Count")
        await tab.until(tab.answer)
        conversation, shown = tab.begun_by(client_id), loads(tab)
        await arrive(tab, conversation)
        assert loads(tab) == shown
        # Only this once, and only on this socket.
        await arrive(tab)
        await arrive(tab, conversation)
        assert loads(tab) == shown + 2
        await arrive(tab)
        client_id = await send(tab, "Count again")
        shown, tab.socket = loads(tab), "another"
        await arrive(tab, tab.begun_by(client_id))
        assert loads(tab) == shown + 1


async def test_a_document_that_opens_beside_a_conversation_leaves_it_as_it_is(cookie: str) -> None:
    async with open_tab(cookie) as tab:
        await at_conversation(tab)
        conversation = await ask(tab, "Count", QUICK)
        await tab.until(tab.answer)
        shown = len(tab.patches)
        for query in ("?document=a&start=3#quote=x", "?document=b", ""):
            await go_to(tab, f"/c/{conversation}{query}")
            assert len(tab.patches) == shown
        # The page still follows the conversation, and gets all of it when it is loaded again.
        await send(tab, "Once more")
        await tab.until(lambda: len([message for message in tab.messages() if message["role"] == "user"]) == 2)
        shown, tab.socket = loads(tab), "another"
        await go_to(tab, f"/c/{conversation}?document=a")
        assert loads(tab) == shown + 1


async def test_a_page_whose_loading_was_cancelled_is_loaded_by_the_next_navigation(cookie: str) -> None:
    async with open_tab(cookie) as tab:
        await at_conversation(tab)
        conversation = await ask(tab, "Count", QUICK)
        await tab.until(tab.answer)
        await go_to(tab, "/documents/view/a")
        # Back to the conversation with a document beside it, which is closed before anything of it was loaded.
        tab.path = f"/c/{conversation}?document=a"
        await tab.send_event(CurrentUserState, "enter")
        shown = loads(tab)
        await go_to(tab, f"/c/{conversation}")
        assert loads(tab) == shown + 1
