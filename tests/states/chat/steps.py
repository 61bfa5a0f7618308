"""What tests do in a tab on the chat page: arrive, ask, send."""

from __future__ import annotations

from rxchat.domain.ids import new_id
from rxchat.states.chat.model_picker import ModelPickerState
from rxchat.states.chat.sidebar import SidebarState
from rxchat.states.chat.thread import ThreadState
from rxchat.states.platform.current_user import CurrentUserState
from tests.tab import Tab

QUICK = "scripted:tokens=5"
SLOW = "scripted:tokens=60,rate=60,think=6"
ENDLESS = "scripted:tokens=100000,rate=60"


async def at_conversation(tab: Tab, conversation_id: object = None) -> None:
    """Be on a page that has loaded."""
    before = len(tab.patches)
    await arrive(tab, conversation_id)
    await tab.until(lambda: len(tab.patches) > before)


async def arrive(tab: Tab, conversation_id: object = None) -> None:
    """Go to an address: what its page does then."""
    tab.visit(conversation_id)
    await tab.send_event(CurrentUserState, "enter")
    await tab.send_event(SidebarState, "load")
    await tab.do(ThreadState, "open")


async def ask(tab: Tab, text: str, model: str = SLOW) -> str:
    """Choose a model and ask on the page for new chats; return the conversation that comes of it."""
    await tab.send_event(ModelPickerState, "choose", name=model)
    client_id = str(new_id())
    await tab.send_event(ThreadState, "send", text=text, client_id=client_id)
    await tab.until(lambda: tab.shown(ThreadState, "accepted") == client_id)
    conversation_id = await tab.until(lambda: tab.begun_by(client_id))
    await arrive(tab, conversation_id)
    return conversation_id


async def send(tab: Tab, text: str, client_id: str = "") -> str:
    """Ask on the page that is open, and return the question's id when it is accepted."""
    client_id = client_id or str(new_id())
    await tab.do(ThreadState, "send", text=text, client_id=client_id)
    assert tab.shown(ThreadState, "accepted") == client_id
    return client_id


def shown_run(tab: Tab, but: str) -> str:
    """The answer that is being written, unless it is this one."""
    run = tab.shown(ThreadState, "run").get("id", "")
    return "" if run == but else run
