"""System prompts and parameters: what the model gets, which comes first, and who may see and set them."""

from __future__ import annotations

import pytest

from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.api_errors import VersionMismatch
from rxchat.domain.errors import InvalidInput, NotFound
from rxchat.domain.messages import MessageState
from rxchat.domain.model_parameters import Configuration, ParameterSupport, excess, options_of, without_excess
from rxchat.services.app.container import Services
from tests import owner
from tests.factories import add_user
from tests.peers.scripted_ollama import ScriptedOllama
from tests.services.answering import ended

pytestmark = pytest.mark.anyio
MODEL, REASONS = "scripted:tokens=2", "scripted:tokens=2,think=1"
BRIEF = Configuration("Be brief.", {"temperature": 0.5, "seed": 1})


async def test_a_message_comes_before_its_conversation_and_an_answer_says_what_it_was_written_with(
    services: Services, current_user: CurrentUser, ollama: ScriptedOllama
) -> None:
    chat = services.chat
    await services.app.preferences.set_instructions(current_user, "Call me Ada.")
    turn = await chat.messages.send_message(
        current_user, None, "one", MODEL, configuration=BRIEF,
        parameters={"temperature": 0, "top_k": 3, "keep_alive": "10m", "stop": ["END"], "num_ctx": 2_048, "max_tokens": 9},
    )  # fmt: skip
    answer = await ended(services, current_user, turn.conversation_id)
    asked = ollama.asked[-1]
    assert asked["options"] == {
        "num_ctx": 2_048, "temperature": 0, "top_k": 3, "seed": 1, "num_predict": 9, "stop": ["END"]
    }  # fmt: skip
    assert asked["keep_alive"] == "10m"
    assert [item["content"][:12] for item in asked["messages"]] == ["Be brief.", "The person w", "one"]
    assert answer.parameters["temperature"] == 0 and answer.parameters["seed"] == 1
    # The next message has only what is set for the conversation.
    await chat.messages.send_message(current_user, turn.conversation_id, "two", MODEL)
    answer = await ended(services, current_user, turn.conversation_id)
    assert answer.parameters == dict(BRIEF.parameters)
    assert ollama.asked[-1]["options"] == {"num_ctx": 8_192, "temperature": 0.5, "seed": 1}


async def test_another_version_of_a_question_keeps_its_parameters(
    services: Services, current_user: CurrentUser, ollama: ScriptedOllama
) -> None:
    turn = await services.chat.messages.send_message(current_user, None, "one", MODEL, parameters={"seed": 5})
    await ended(services, current_user, turn.conversation_id)
    await services.chat.branches.regenerate(current_user, turn.conversation_id, turn.question_id, MODEL)
    await ended(services, current_user, turn.conversation_id)
    assert ollama.asked[-1]["options"]["seed"] == 5


async def test_what_the_model_does_not_take_is_refused_before_it_is_asked(
    services: Services, current_user: CurrentUser, ollama: ScriptedOllama
) -> None:
    ollama.offered = [MODEL, REASONS]
    chat, before = services.chat, len(ollama.asked)
    for given in ({"reasoning_effort": "low"}, {"temperature": 3}, {"num_gpu": 1}):
        with pytest.raises(InvalidInput) as refused:
            await chat.messages.send_message(current_user, None, "one", MODEL, parameters=given)
        assert refused.value.field == next(iter(given))
        with pytest.raises(InvalidInput):
            await chat.messages.send_message(current_user, None, "one", MODEL, configuration=Configuration("", given))
    assert len(ollama.asked) == before
    # A model that reasons takes it, and the conversation goes over to one that does not.
    turn = await chat.messages.send_message(
        current_user, None, "one", REASONS, configuration=Configuration("", {"reasoning_effort": "none"})
    )
    await ended(services, current_user, turn.conversation_id)
    assert ollama.asked[-1]["think"] is False
    asked = len(ollama.asked)
    await chat.messages.send_message(current_user, turn.conversation_id, "two", MODEL)
    answer = await ended(services, current_user, turn.conversation_id)
    assert (answer.state, len(ollama.asked)) == (MessageState.FAILED, asked) and "“Reasoning”" in answer.error


@pytest.mark.without_engine
async def test_they_are_an_event_that_is_replayed_undone_and_copied(
    services: Services, current_user: CurrentUser
) -> None:
    chat = services.chat
    turn = await chat.messages.send_message(current_user, None, "one", MODEL)
    conversation_id = turn.conversation_id
    await chat.messages.stop(current_user, conversation_id)
    first = await chat.configurations.of(current_user, conversation_id)
    assert first.configuration.is_empty
    changed = await chat.configurations.change(current_user, conversation_id, BRIEF.system_prompt, BRIEF.parameters)
    assert changed.configuration == BRIEF and changed.seq == first.seq + 1
    # The same again is no event.
    again = await chat.configurations.change(
        current_user, conversation_id, " Be brief. ", {"temperature": "0.5", "seed": 1}
    )
    assert again.seq == changed.seq
    with pytest.raises(VersionMismatch):
        await chat.configurations.change(current_user, conversation_id, "", {}, expected_seq=first.seq)
    history = await chat.conversations.history(current_user, conversation_id)
    assert (history.system_prompt, history.parameters) == (BRIEF.system_prompt, BRIEF.parameters)
    await chat.conversation_history.restore(current_user, conversation_id, first.seq)
    assert (await chat.configurations.of(current_user, conversation_id)).configuration.is_empty
    fork = await chat.conversation_history.fork(current_user, conversation_id, changed.seq)
    assert (await chat.configurations.of(current_user, fork)).configuration == BRIEF


@pytest.mark.without_engine
async def test_only_the_owner_sees_and_sets_them(services: Services, current_user: CurrentUser, owner_url: str) -> None:
    chat, stranger = services.chat, add_user(owner_url, "Stranger")
    turn = await chat.messages.send_message(current_user, None, "one", MODEL, configuration=BRIEF)
    with pytest.raises(NotFound):
        await chat.configurations.of(stranger, turn.conversation_id)
    with pytest.raises(NotFound):
        await chat.configurations.change(stranger, turn.conversation_id, "Be long.", {})
    kept = await chat.configurations.of(current_user, turn.conversation_id)
    assert kept.configuration == BRIEF
    # Who may read the conversation sees its messages, and not how they are set.
    await services.access.grants.add(
        current_user, principal_kind="user", principal=str(stranger.user_id), resource_kind="conversation",
        resource=str(turn.conversation_id), action="read", client_info=ClientInfo("203.0.113.7", "a browser"),
    )  # fmt: skip
    await chat.messages.stop(current_user, turn.conversation_id)
    other = {"seed": 424_242}
    await chat.messages.send_message(current_user, turn.conversation_id, "two", MODEL, parameters=other)
    await chat.messages.stop(current_user, turn.conversation_id)
    await chat.configurations.change(current_user, turn.conversation_id, "Be long.", other)
    for user, sees in ((current_user, True), (stranger, False)):
        page = await chat.conversations.open(user, turn.conversation_id)
        news = await chat.conversations.news(user, turn.conversation_id, 0)
        assert len(page.messages) >= 2 and len(news.events) > 4
        assert ("424242" in repr(page), "424242" in repr(news)) == (sees, sees)


async def test_the_memory_of_hosts_is_for_all_unless_one_manages_models(
    services: Services, current_user: CurrentUser, owner_url: str, ollama: ScriptedOllama
) -> None:
    ollama.offered = [MODEL]
    send, root = services.chat.messages.send_message, add_user(owner_url, "Root", "admin")
    for field, value, words in (("num_ctx", 8_193, "at most 8,192 tokens"), ("keep_alive", "61m", "at most 1h")):
        with pytest.raises(InvalidInput, match=words) as refusal:
            await send(current_user, None, "go", MODEL, parameters={field: value})
        assert refusal.value.field == field
        with pytest.raises(InvalidInput, match=words):
            await send(current_user, None, "go", MODEL, configuration=Configuration("", {field: value}))
    turn = await send(root, None, "go", MODEL, parameters={"num_ctx": 16_384, "keep_alive": "24h"})
    await ended(services, root, turn.conversation_id)
    assert (ollama.asked[-1]["options"]["num_ctx"], ollama.asked[-1]["keep_alive"]) == (16_384, "24h")
    # What was set with more rights is lowered when the answer is written.
    with owner.transaction(owner_url) as connection:
        connection.execute("UPDATE user_account SET role = 'member' WHERE id = %s", (root.user_id,))
    await services.chat.branches.regenerate(root, turn.conversation_id, turn.question_id, MODEL)
    answer = await ended(services, root, turn.conversation_id)
    assert (ollama.asked[-1]["options"]["num_ctx"], ollama.asked[-1]["keep_alive"]) == (8_192, "1h")
    assert answer.parameters == {"num_ctx": 8_192, "keep_alive": "1h"}


def test_what_administrators_set_for_a_model_may_be_more() -> None:
    support = ParameterSupport(frozenset(), most_context=4_000)
    given = {"num_ctx": 32_000, "keep_alive": "24h", "seed": 1}
    assert without_excess(given, support, {}) == {"num_ctx": 4_000, "keep_alive": "1h", "seed": 1}
    assert without_excess(given, support, {"num_ctx": 16_000, "keep_alive": "120m"}) == {
        "num_ctx": 16_000, "keep_alive": "120m", "seed": 1
    }  # fmt: skip
    assert excess(options_of({"num_ctx": 4_000, "keep_alive": "60m"}), support) is None
    assert without_excess(given, ParameterSupport(frozenset()), {})["num_ctx"] == 32_000
