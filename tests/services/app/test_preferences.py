"""Preferences of a user: kept, limited, and given to the model."""

from __future__ import annotations

import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.errors import InvalidInput
from rxchat.domain.ids import new_id
from rxchat.domain.preferences import INSTRUCTIONS_CHARACTERS, Preferences
from rxchat.services.app.container import Services
from tests.factories import add_user
from tests.peers.scripted_ollama import ScriptedOllama
from tests.services.answering import ended

pytestmark = pytest.mark.anyio
MODEL = "scripted:tokens=2"
BRIEF = "Answer briefly, in metric units."


@pytest.fixture
async def ollama(ollama: ScriptedOllama) -> ScriptedOllama:
    ollama.offered = [MODEL]
    return ollama


async def asked(services: Services, current_user: CurrentUser, ollama: ScriptedOllama) -> list[tuple[str, str]]:
    """Ask a question, and return the messages that the model gets."""
    turn = await services.chat.messages.send_message(current_user, None, "How far?", MODEL, question_id=new_id())
    await ended(services, current_user, turn.conversation_id)
    return [(message["role"], message["content"]) for message in ollama.asked[-1]["messages"]]


async def test_instructions_are_given_to_the_model_before_the_question_and_never_for_another_user(
    services: Services, current_user: CurrentUser, ollama: ScriptedOllama, owner_url: str
) -> None:
    assert await asked(services, current_user, ollama) == [("user", "How far?")]
    assert await services.app.preferences.set_instructions(current_user, f"  {BRIEF}\r\n") == BRIEF
    [(role, told), question] = await asked(services, current_user, ollama)
    assert role == "system" and told.endswith(f"\n\n{BRIEF}") and question == ("user", "How far?")
    assert await asked(services, add_user(owner_url, "Other"), ollama) == [("user", "How far?")]
    assert await services.app.preferences.set_instructions(current_user, " ") == ""
    assert await asked(services, current_user, ollama) == [("user", "How far?")]


@pytest.mark.without_engine
async def test_each_preference_is_kept_by_itself(services: Services, current_user: CurrentUser, owner_url: str) -> None:
    preferences = services.app.preferences
    assert await preferences.get(current_user) == Preferences()
    await preferences.set_default_model(current_user, "llama3.2")
    await preferences.set_instructions(current_user, "x\0y")
    assert await preferences.get(current_user) == Preferences("x\ufffdy", "llama3.2")
    await preferences.set_default_model(current_user, "")
    assert await preferences.get(current_user) == Preferences("x\ufffdy")
    assert await preferences.get(add_user(owner_url, "Other")) == Preferences()


@pytest.mark.without_engine
async def test_what_is_too_long_is_refused_with_its_length(services: Services, current_user: CurrentUser) -> None:
    await services.app.preferences.set_instructions(current_user, "🚀" * INSTRUCTIONS_CHARACTERS)
    with pytest.raises(InvalidInput, match=r"at most 4,000 characters; this text has 4,001"):
        await services.app.preferences.set_instructions(current_user, "x" * (INSTRUCTIONS_CHARACTERS + 1))
    for name in ("x" * 201, "a\nb", "a\0b"):
        with pytest.raises(InvalidInput, match="not the name of a model"):
            await services.app.preferences.set_default_model(current_user, name)
    found = await services.app.preferences.get(current_user)
    assert found == Preferences("🚀" * INSTRUCTIONS_CHARACTERS)
