"""What is sent while an answer runs: it waits visibly, can be changed or withdrawn, and is asked in its turn."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import psycopg
import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.errors import Conflict, InvalidInput, NotAllowed, NotFound
from rxchat.domain.ids import new_id
from rxchat.domain.messages import MessageState
from rxchat.domain.permissions import Permission
from rxchat.services.app.container import Services
from rxchat.services.chat.messages import QUEUE_MESSAGES
from tests.factories import add_user
from tests.peers.scripted_ollama import ScriptedOllama
from tests.services.answering import ENDLESS, ended

pytestmark = pytest.mark.anyio

BRIEF = "scripted:tokens=3"


async def waiting(services: Services, current_user: CurrentUser, conversation_id) -> list[str]:
    return [
        message.text for message in (await services.chat.conversations.news(current_user, conversation_id, 0)).waiting
    ]


async def asked(services: Services, current_user: CurrentUser, conversation_id) -> list[str]:
    page = await services.chat.conversations.open(current_user, conversation_id, limit=100)
    return [message.text for message in page.messages if message.role == "user"]


async def test_what_is_sent_meanwhile_waits_and_is_asked_in_its_turn(
    services: Services, current_user: CurrentUser, ollama: ScriptedOllama
) -> None:
    turn = await services.chat.messages.send_message(current_user, None, "one", "scripted:tokens=20,hold=5")
    for text in ("two", "three"):
        later = await services.chat.messages.send_message(current_user, turn.conversation_id, text, BRIEF)
        assert later.is_waiting
    assert await waiting(services, current_user, turn.conversation_id) == ["two", "three"]
    assert await asked(services, current_user, turn.conversation_id) == ["one"]
    ollama.go_on()
    await ended(services, current_user, turn.conversation_id)
    page = await services.chat.conversations.open(current_user, turn.conversation_id)
    assert [message.text.strip() for message in page.messages[::2]] == ["one", "two", "three"]
    assert [message.state for message in page.messages[1::2]] == [MessageState.DONE] * 3
    assert page.messages[3].model == BRIEF and await waiting(services, current_user, turn.conversation_id) == []


async def test_a_question_that_is_sent_several_times_at_once_is_asked_once(
    services: Services, current_user: CurrentUser
) -> None:
    turn = await services.chat.messages.send_message(current_user, None, "one", BRIEF)
    await ended(services, current_user, turn.conversation_id)
    question = new_id()
    send = services.chat.messages.send_message
    turns = await asyncio.gather(
        *(send(current_user, turn.conversation_id, "two", BRIEF, question_id=question) for _ in range(5))
    )
    assert {(found.conversation_id, found.question_id) for found in turns} == {(turn.conversation_id, question)}
    await ended(services, current_user, turn.conversation_id)
    assert await asked(services, current_user, turn.conversation_id) == ["one", "two"]
    assert await waiting(services, current_user, turn.conversation_id) == []


async def test_questions_of_several_tabs_at_once_are_all_asked_in_turn(
    services: Services, current_user: CurrentUser
) -> None:
    turn = await services.chat.messages.send_message(current_user, None, "one", BRIEF)
    await ended(services, current_user, turn.conversation_id)
    send = services.chat.messages.send_message
    await asyncio.gather(*(send(current_user, turn.conversation_id, f"more {number}", BRIEF) for number in range(5)))
    async with asyncio.timeout(60):
        while len(await asked(services, current_user, turn.conversation_id)) < 6:
            await asyncio.sleep(0.05)
    assert sorted(await asked(services, current_user, turn.conversation_id)) == [
        *(f"more {n}" for n in range(5)),
        "one",
    ]
    assert await waiting(services, current_user, turn.conversation_id) == []


async def test_what_waits_is_changed_and_withdrawn(services: Services, current_user: CurrentUser) -> None:
    turn = await services.chat.messages.send_message(current_user, None, "one", ENDLESS)
    two, three = [
        (await services.chat.messages.send_message(current_user, turn.conversation_id, text, BRIEF)).question_id
        for text in ("two", "three")
    ]
    await services.chat.messages.edit_queued(current_user, turn.conversation_id, two, "two, but better")
    assert await services.chat.messages.cancel_queued(current_user, turn.conversation_id, three) == "three"
    with pytest.raises(NotFound):
        await services.chat.messages.cancel_queued(current_user, turn.conversation_id, three)
    with pytest.raises(InvalidInput):
        await services.chat.messages.edit_queued(current_user, turn.conversation_id, two, "  ")
    assert await waiting(services, current_user, turn.conversation_id) == ["two, but better"]
    await services.chat.messages.stop(current_user, turn.conversation_id)
    await ended(services, current_user, turn.conversation_id)
    assert await asked(services, current_user, turn.conversation_id) == ["one", "two, but better"]


async def test_after_a_failure_what_waits_stays_until_its_person_goes_on(
    services: Services, current_user: CurrentUser, ollama: ScriptedOllama
) -> None:
    turn = await services.chat.messages.send_message(
        current_user, None, "one", "scripted:tokens=20,hold=9,fault=cut,at=10"
    )
    await services.chat.messages.send_message(current_user, turn.conversation_id, "two", BRIEF)
    ollama.go_on()
    failed = await ended(services, current_user, turn.conversation_id)
    assert failed.state is MessageState.FAILED and await waiting(services, current_user, turn.conversation_id) == [
        "two"
    ]
    # Whoever writes a third one wants the second one first.
    third = await services.chat.messages.send_message(current_user, turn.conversation_id, "three", BRIEF)
    assert third.is_waiting
    await ended(services, current_user, turn.conversation_id)
    assert await asked(services, current_user, turn.conversation_id) == ["one", "two", "three"]


async def test_after_a_failure_what_waits_can_be_sent_as_it_is(
    services: Services, current_user: CurrentUser, ollama: ScriptedOllama
) -> None:
    turn = await services.chat.messages.send_message(
        current_user, None, "one", "scripted:tokens=20,hold=9,fault=cut,at=10"
    )
    await services.chat.messages.send_message(current_user, turn.conversation_id, "two", BRIEF)
    with pytest.raises(Conflict):
        await services.chat.messages.send_next_queued(current_user, turn.conversation_id)
    ollama.go_on()
    await ended(services, current_user, turn.conversation_id)
    assert await services.chat.messages.send_next_queued(current_user, turn.conversation_id)
    await ended(services, current_user, turn.conversation_id)
    assert await asked(services, current_user, turn.conversation_id) == ["one", "two"]
    assert await services.chat.messages.send_next_queued(current_user, turn.conversation_id) is False


async def test_of_many_who_send_at_once_all_are_answered_one_after_another(
    services: Services, current_user: CurrentUser
) -> None:
    turn = await services.chat.messages.send_message(current_user, None, "go", BRIEF)
    await ended(services, current_user, turn.conversation_id)
    await asyncio.gather(
        *(
            services.chat.messages.send_message(current_user, turn.conversation_id, f"number {number}", BRIEF)
            for number in range(8)
        )
    )
    await ended(services, current_user, turn.conversation_id, 30)
    said = await asked(services, current_user, turn.conversation_id)
    assert said[0] == "go" and sorted(said[1:]) == [f"number {number}" for number in range(8)]


async def test_sending_the_same_message_again_queues_it_once(services: Services, current_user: CurrentUser) -> None:
    turn = await services.chat.messages.send_message(current_user, None, "one", ENDLESS)
    question_id = new_id()
    for _ in range(3):
        await services.chat.messages.send_message(
            current_user, turn.conversation_id, "two", BRIEF, question_id=question_id
        )
    assert await waiting(services, current_user, turn.conversation_id) == ["two"]
    await services.chat.messages.stop(current_user, turn.conversation_id)


async def test_withdrawing_the_next_one_in_the_moment_of_its_turn_leaves_none_behind(
    services: Services, current_user: CurrentUser
) -> None:
    for _ in range(5):
        turn = await services.chat.messages.send_message(current_user, None, "one", ENDLESS)
        two, _three = [
            (await services.chat.messages.send_message(current_user, turn.conversation_id, text, BRIEF)).question_id
            for text in ("two", "three")
        ]
        await asyncio.gather(
            services.chat.messages.stop(current_user, turn.conversation_id),
            services.chat.messages.cancel_queued(current_user, turn.conversation_id, two),
            return_exceptions=True,
        )
        await ended(services, current_user, turn.conversation_id)
        assert await waiting(services, current_user, turn.conversation_id) == []
        assert "three" in await asked(services, current_user, turn.conversation_id)


async def test_what_waits_for_a_model_that_may_not_be_used_any_more_is_not_asked(
    services: Services, current_user: CurrentUser, owner_url: str, ollama: ScriptedOllama
) -> None:
    turn = await services.chat.messages.send_message(
        current_user, None, "one", "scripted:tokens=20,hold=9,fault=cut,at=10"
    )
    await services.chat.messages.send_message(current_user, turn.conversation_id, "two", BRIEF)
    ollama.go_on()
    await ended(services, current_user, turn.conversation_id)
    guest = replace(current_user, permissions=frozenset({Permission.CONVERSATIONS_CREATE}))
    with pytest.raises(NotAllowed):
        await services.chat.messages.send_next_queued(guest, turn.conversation_id)
    with psycopg.connect(owner_url) as connection:
        connection.execute("UPDATE user_account SET suspended_at = now() WHERE id = %s", (current_user.user_id,))
    assert await services.chat.messages.send_next_queued(current_user, turn.conversation_id) is False
    assert await waiting(services, current_user, turn.conversation_id) == ["two"]


async def test_what_waits_is_asked_only_with_the_rights_of_its_turn(
    services: Services, current_user: CurrentUser, owner_url: str
) -> None:
    turn = await services.chat.messages.send_message(current_user, None, "one", ENDLESS)
    await services.chat.messages.send_message(current_user, turn.conversation_id, "two", BRIEF)
    with psycopg.connect(owner_url) as connection:
        connection.execute("UPDATE user_account SET role = 'guest' WHERE id = %s", (current_user.user_id,))
    await services.chat.messages.stop(current_user, turn.conversation_id)
    await ended(services, current_user, turn.conversation_id)
    assert await waiting(services, current_user, turn.conversation_id) == ["two"]
    assert await asked(services, current_user, turn.conversation_id) == ["one"]
    with psycopg.connect(owner_url) as connection:
        connection.execute(
            "INSERT INTO access_grant (id, principal_kind, principal, resource_kind, resource, action)"
            " VALUES (%s, 'user', %s, 'model', %s, 'use')",
            (new_id(), str(current_user.user_id), BRIEF),
        )
    assert await services.chat.messages.send_next_queued(
        replace(current_user, permissions=frozenset()), turn.conversation_id
    )
    await ended(services, current_user, turn.conversation_id)
    assert await asked(services, current_user, turn.conversation_id) == ["one", "two"]


async def test_a_question_that_was_taken_is_known_again_even_without_a_model(
    services: Services, current_user: CurrentUser
) -> None:
    question_id = new_id()
    turn = await services.chat.messages.send_message(current_user, None, "one", BRIEF, question_id=question_id)
    for conversation_id in (None, turn.conversation_id):
        again = await services.chat.messages.send_message(
            current_user, conversation_id, "one", "", question_id=question_id
        )
        assert again.conversation_id == turn.conversation_id
    with pytest.raises(InvalidInput, match="No model"):
        await services.chat.messages.send_message(current_user, turn.conversation_id, "two", "")


async def test_the_queue_has_an_end(services: Services, current_user: CurrentUser) -> None:
    turn = await services.chat.messages.send_message(current_user, None, "one", ENDLESS)
    for number in range(QUEUE_MESSAGES):
        await services.chat.messages.send_message(current_user, turn.conversation_id, f"{number}", BRIEF)
    with pytest.raises(Conflict, match="20 messages are already queued"):
        await services.chat.messages.send_message(current_user, turn.conversation_id, "one too many", BRIEF)
    await services.chat.conversations.remove(current_user, turn.conversation_id)


async def test_what_waits_in_a_conversation_that_is_deleted_is_asked_only_after_an_undo(
    services: Services, current_user: CurrentUser
) -> None:
    turn = await services.chat.messages.send_message(current_user, None, "one", ENDLESS)
    await services.chat.messages.send_message(current_user, turn.conversation_id, "two", BRIEF)
    await services.chat.conversations.remove(current_user, turn.conversation_id)
    async with asyncio.timeout(60):
        while services.chat.run_engine._jobs:
            await asyncio.sleep(0.02)
    await services.chat.conversations.restore(current_user, turn.conversation_id)
    assert await asked(services, current_user, turn.conversation_id) == ["one"]
    assert await waiting(services, current_user, turn.conversation_id) == ["two"]


async def test_a_strangers_queue_is_not_found_by_any_verb(
    services: Services, current_user: CurrentUser, owner_url: str
) -> None:
    turn = await services.chat.messages.send_message(current_user, None, "one", ENDLESS)
    two = (await services.chat.messages.send_message(current_user, turn.conversation_id, "two", BRIEF)).question_id
    stranger = add_user(owner_url, "Mallory")
    for attempt in (
        services.chat.messages.edit_queued(stranger, turn.conversation_id, two, "theirs"),
        services.chat.messages.cancel_queued(stranger, turn.conversation_id, two),
        services.chat.messages.send_next_queued(stranger, turn.conversation_id),
        services.chat.messages.cancel_queued(current_user, new_id(), two),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert await waiting(services, current_user, turn.conversation_id) == ["two"]
    await services.chat.conversations.remove(current_user, turn.conversation_id)
