"""The page of preferences, and the model of new conversations."""

from __future__ import annotations

from typing import Any

import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.services.app.container import Services
from rxchat.states.app.preferences import PreferencesState
from rxchat.states.chat.model_picker import ModelPickerState
from tests.factories import signed_in_as
from tests.peers.scripted_ollama import ScriptedOllama
from tests.states.chat.steps import at_conversation
from tests.tab import Tab, open_tab

pytestmark = [pytest.mark.anyio, pytest.mark.without_engine]
FIRST, SECOND, THIRD = "scripted:tokens=1", "scripted:tokens=2", "scripted:tokens=3"


@pytest.fixture
async def ollama(ollama: ScriptedOllama) -> ScriptedOllama:
    ollama.offered = [FIRST, SECOND, THIRD]
    return ollama


def shown(tab: Tab, name: str) -> Any:
    return tab.shown(PreferencesState, name)


async def test_instructions_are_saved_and_a_long_text_stays_in_its_form(
    services: Services, current_user: CurrentUser
) -> None:
    async with open_tab(await signed_in_as(services, current_user)) as tab:
        await tab.do(PreferencesState, "open")
        assert shown(tab, "ready") and shown(tab, "instructions") == ""
        assert [item.name for item in shown(tab, "models")] == [FIRST, SECOND, THIRD]
        form = {"dialog": "1", "custom_instructions": " Be brief. "}
        await tab.do(PreferencesState, "save_instructions", form=form)
        assert (shown(tab, "instructions"), shown(tab, "done_dialog")) == ("Be brief.", 1)
        await tab.do(PreferencesState, "save_instructions", form=form | {"custom_instructions": "x" * 4_001})
        assert shown(tab, "problem").startswith("Use at most 4,000 characters")
        assert (shown(tab, "problem_dialog"), shown(tab, "problem_field")) == (1, "custom_instructions")
        assert shown(tab, "instructions") == "Be brief."


async def test_a_default_model_that_is_away_stays_chosen(services: Services, current_user: CurrentUser) -> None:
    async with open_tab(await signed_in_as(services, current_user)) as tab:
        await tab.do(PreferencesState, "choose_default_model", name="gone:7b")
        await tab.do(PreferencesState, "open")
        assert shown(tab, "default_model") == "gone:7b" and shown(tab, "models")[-1].name == "gone:7b"


async def test_a_new_chat_begins_with_the_default_model_unless_another_one_was_chosen_for_it(
    services: Services, current_user: CurrentUser
) -> None:
    turn = await services.chat.messages.send_message(current_user, None, "Hello", FIRST)
    await services.app.preferences.set_default_model(current_user, THIRD)
    async with open_tab(await signed_in_as(services, current_user)) as tab:
        await at_conversation(tab)
        assert tab.shown(ModelPickerState, "model") == THIRD
        await at_conversation(tab, str(turn.conversation_id))
        assert tab.shown(ModelPickerState, "model") == FIRST
        await at_conversation(tab)
        assert tab.shown(ModelPickerState, "model") == THIRD
        await tab.do(ModelPickerState, "choose", name=SECOND)
        await at_conversation(tab)
        assert tab.shown(ModelPickerState, "model") == SECOND
