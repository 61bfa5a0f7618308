"""The dialog “Parameters”: for a conversation, and for one that has not begun yet."""

from __future__ import annotations

from uuid import UUID

import pytest

from rxchat.domain.model_parameters import PARAMETERS
from rxchat.services.app.container import Services
from rxchat.states.chat.configuration import ConfigurationState
from rxchat.states.chat.model_picker import ModelPickerState
from rxchat.states.chat.thread import ThreadState
from tests.factories import signed_in_as
from tests.peers.scripted_ollama import ScriptedOllama
from tests.services.answering import ended
from tests.tab import Tab, open_tabs

pytestmark = pytest.mark.anyio
QUICK, REASONS = "scripted:tokens=2", "scripted:tokens=2,think=1"
EMPTY = {"system_prompt": "", **{item.name: "" for item in PARAMETERS}}


async def loaded(tab: Tab, dialog: str) -> None:
    await tab.do(ConfigurationState, "show", form={"dialog": dialog})
    assert tab.shown(ConfigurationState, "opened") == int(dialog)


async def test_what_is_set_before_the_first_message_is_set_for_its_conversation(
    services: Services, current_user, ollama: ScriptedOllama
) -> None:
    ollama.offered = [QUICK, REASONS]
    cookie = await signed_in_as(services, current_user)
    async with open_tabs(cookie, cookie) as (tab, other):
        tab.visit()
        await tab.do(ThreadState, "open")
        await loaded(tab, "1")
        assert "reasoning_effort" not in tab.shown(ConfigurationState, "takes")
        await tab.do(ConfigurationState, "save", form=EMPTY | {"temperature": "9", "dialog": "1"})
        assert (tab.shown(ConfigurationState, "problem_dialog"), tab.shown(ConfigurationState, "problem_field")) == (
            1, "temperature",
        )  # fmt: skip
        said = EMPTY | {"system_prompt": "You are a pirate.", "temperature": "0.30", "stop": "a\nb", "dialog": "1"}
        await tab.do(ConfigurationState, "save", form=said)
        assert tab.shown(ConfigurationState, "is_set") and tab.shown(ConfigurationState, "done_dialog") == 1
        await tab.do(ThreadState, "send", text="Hello", client_id="01a22f45-8c87-702e-94dd-b3bb9db44cea")
        born = await tab.until(lambda: tab.shown(ThreadState, "born"))
        conversation_id = UUID(born["conversation_id"])
        await ended(services, current_user, conversation_id)
        assert ollama.asked[-1]["messages"][0] == {"role": "system", "content": "You are a pirate."}
        assert ollama.asked[-1]["options"]["temperature"] == 0.3
        other.visit(conversation_id)
        await other.do(ThreadState, "open")
        await loaded(other, "2")
        form = other.shown(ConfigurationState, "form")
        assert (form.system_prompt, form.temperature, form.stop, form.seed) == ("You are a pirate.", "0.3", "a\nb", "")
        # Another tab shows that they were reset, and another model takes more.
        tab.visit(conversation_id)
        await other.do(ConfigurationState, "reset_all", form={"dialog": "2"})
        await tab.until(lambda: not tab.shown(ConfigurationState, "is_set"))
        await other.do(ModelPickerState, "choose", name=REASONS)
        await loaded(other, "3")
        assert other.shown(ConfigurationState, "efforts") == ["none", "medium"]
        # A new chat begins without them.
        other.visit()
        await other.do(ThreadState, "open")
        assert not other.shown(ConfigurationState, "is_set")
