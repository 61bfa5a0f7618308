"""Conversations with models of a server with OpenAI's API, beside those of Ollama: through the engine, into the database."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from rxchat.connections import Connections
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.chat import Role
from rxchat.domain.messages import MessageState
from rxchat.domain.runs import LEASE_SECONDS
from rxchat.lifespan import running
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.peers.scripted_model import counted
from tests.peers.scripted_openai import ScriptedOpenAI, scripted_openai
from tests.services.answering import ended, following, grown, kill, stored

# The engine of each test is that of the services with a provider.
pytestmark = [pytest.mark.anyio, pytest.mark.without_engine]

COUNTING = "gpu/scripted:tokens=30,count=1"


@pytest.fixture
async def server() -> AsyncGenerator[ScriptedOpenAI]:
    async with scripted_openai() as found:
        yield found


@pytest.fixture
def with_provider(settings: Settings, server: ScriptedOpenAI) -> Settings:
    return settings.model_copy(update={"openai_hosts": {"gpu": server.url}, "engine": True})


@pytest.fixture
async def both(with_provider: Settings, at: Connections) -> AsyncGenerator[Services]:
    async with running(with_provider, at) as found:
        yield found


async def test_models_of_both_are_offered_and_answer_in_one_conversation(
    both: Services, current_user: CurrentUser, server: ScriptedOpenAI
) -> None:
    offer = await both.models.catalog.offer()
    assert [model.name for model in offer.models] == ["scripted:tokens=20", "gpu/scripted:tokens=20"]
    turn = await both.chat.messages.send_message(current_user, None, "Count.", COUNTING)
    answer = await ended(both, current_user, turn.conversation_id)
    assert (answer.text, answer.model, answer.state) == (counted(1, 30), COUNTING, MessageState.DONE)
    await both.chat.messages.send_message(current_user, turn.conversation_id, "Again.", "scripted:tokens=3")
    assert (await ended(both, current_user, turn.conversation_id)).text == "word word word "
    await both.chat.messages.send_message(current_user, turn.conversation_id, "And again.", COUNTING)
    await ended(both, current_user, turn.conversation_id)
    said = [(message["role"], message["content"]) for message in server.asked[-1]["messages"]]
    assert said[-5:] == [
        (Role.USER, "Count."),
        (Role.ASSISTANT, counted(1, 30)),
        (Role.USER, "Again."),
        (Role.ASSISTANT, "word word word "),
        (Role.USER, "And again."),
    ]


async def test_another_process_continues_the_answer_of_one_that_died(
    both: Services, current_user: CurrentUser, with_provider: Settings, at: Connections
) -> None:
    turn = await both.chat.messages.send_message(current_user, None, "Count.", f"{COUNTING},hold=20")
    async with following(both, current_user, turn) as answer:
        await grown(answer, len(counted(1, 20)))
    await stored(both, turn, len(counted(1, 20)))
    kill(both)
    async with running(with_provider, at) as others:
        ending = await ended(others, current_user, turn.conversation_id, LEASE_SECONDS + 60)
    assert (ending.text, ending.state) == (counted(1, 30), MessageState.DONE)


async def test_a_provider_that_is_away_says_so_in_the_answer_and_hides_no_other_model(
    both: Services, current_user: CurrentUser, server: ScriptedOpenAI
) -> None:
    await server.stop()
    assert [model.name for model in (await both.models.catalog.offer()).models] == ["scripted:tokens=20"]
    assert (await both.models.catalog.offer()).problem == ""
    turn = await both.chat.messages.send_message(current_user, None, "Count.", COUNTING)
    answer = await ended(both, current_user, turn.conversation_id)
    assert answer.state is MessageState.FAILED
    assert answer.error.startswith("The model host does not respond. ") and "127.0.0.1" not in answer.error
