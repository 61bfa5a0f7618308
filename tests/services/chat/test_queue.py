"""What is sent while an answer runs: it waits visibly, can be changed or withdrawn, and is asked in its turn."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import psycopg
import pytest

from rxchat.domain.accounts import Viewer
from rxchat.domain.conversations import MessageState
from rxchat.domain.errors import Conflict, InvalidInput, NotAllowed, NotFound
from rxchat.domain.ids import new_id
from rxchat.domain.permissions import Permission
from rxchat.services.app.container import Services
from rxchat.services.chat.messages import QUEUE_MESSAGES
from tests.factories import add_viewer
from tests.services.answering import ENDLESS, ended

pytestmark = pytest.mark.anyio

BRIEF = "scripted:tokens=3"


async def waiting(services: Services, viewer: Viewer, conversation_id) -> list[str]:
    return [message.text for message in (await services.conversations.news(viewer, conversation_id, 0)).waiting]


async def asked(services: Services, viewer: Viewer, conversation_id) -> list[str]:
    page = await services.conversations.open(viewer, conversation_id, limit=100)
    return [message.text for message in page.messages if message.role == "user"]


async def test_what_is_sent_meanwhile_waits_and_is_asked_in_its_turn(services: Services, viewer: Viewer) -> None:
    turn = await services.chats.send_message(viewer, None, "one", "scripted:tokens=20,rate=40")
    for text in ("two", "three"):
        later = await services.chats.send_message(viewer, turn.conversation_id, text, BRIEF)
        assert later.is_waiting
    assert await waiting(services, viewer, turn.conversation_id) == ["two", "three"]
    assert await asked(services, viewer, turn.conversation_id) == ["one"]
    await ended(services, viewer, turn.conversation_id)
    page = await services.conversations.open(viewer, turn.conversation_id)
    assert [message.text.strip() for message in page.messages[::2]] == ["one", "two", "three"]
    assert [message.state for message in page.messages[1::2]] == [MessageState.DONE] * 3
    assert page.messages[3].model == BRIEF and await waiting(services, viewer, turn.conversation_id) == []


async def test_what_waits_is_changed_and_withdrawn(services: Services, viewer: Viewer) -> None:
    turn = await services.chats.send_message(viewer, None, "one", ENDLESS)
    two, three = [
        (await services.chats.send_message(viewer, turn.conversation_id, text, BRIEF)).question_id
        for text in ("two", "three")
    ]
    await services.chats.edit_queued(viewer, turn.conversation_id, two, "two, but better")
    assert await services.chats.cancel_queued(viewer, turn.conversation_id, three) == "three"
    with pytest.raises(NotFound):
        await services.chats.cancel_queued(viewer, turn.conversation_id, three)
    with pytest.raises(InvalidInput):
        await services.chats.edit_queued(viewer, turn.conversation_id, two, "  ")
    assert await waiting(services, viewer, turn.conversation_id) == ["two, but better"]
    await services.chats.stop(viewer, turn.conversation_id)
    await ended(services, viewer, turn.conversation_id)
    assert await asked(services, viewer, turn.conversation_id) == ["one", "two, but better"]


async def test_after_a_failure_what_waits_stays_until_its_person_goes_on(services: Services, viewer: Viewer) -> None:
    turn = await services.chats.send_message(viewer, None, "one", "scripted:tokens=20,rate=20,fault=cut,at=10")
    await services.chats.send_message(viewer, turn.conversation_id, "two", BRIEF)
    failed = await ended(services, viewer, turn.conversation_id)
    assert failed.state is MessageState.FAILED and await waiting(services, viewer, turn.conversation_id) == ["two"]
    # Whoever writes a third one wants the second one first.
    third = await services.chats.send_message(viewer, turn.conversation_id, "three", BRIEF)
    assert third.is_waiting
    await ended(services, viewer, turn.conversation_id)
    assert await asked(services, viewer, turn.conversation_id) == ["one", "two", "three"]


async def test_after_a_failure_what_waits_can_be_sent_as_it_is(services: Services, viewer: Viewer) -> None:
    turn = await services.chats.send_message(viewer, None, "one", "scripted:tokens=20,rate=20,fault=cut,at=10")
    await services.chats.send_message(viewer, turn.conversation_id, "two", BRIEF)
    with pytest.raises(Conflict):
        await services.chats.send_next_queued(viewer, turn.conversation_id)
    await ended(services, viewer, turn.conversation_id)
    assert await services.chats.send_next_queued(viewer, turn.conversation_id)
    await ended(services, viewer, turn.conversation_id)
    assert await asked(services, viewer, turn.conversation_id) == ["one", "two"]
    assert await services.chats.send_next_queued(viewer, turn.conversation_id) is False


async def test_of_many_who_send_at_once_all_are_answered_one_after_another(services: Services, viewer: Viewer) -> None:
    turn = await services.chats.send_message(viewer, None, "go", BRIEF)
    await ended(services, viewer, turn.conversation_id)
    await asyncio.gather(
        *(services.chats.send_message(viewer, turn.conversation_id, f"number {number}", BRIEF) for number in range(8))
    )
    await ended(services, viewer, turn.conversation_id, 30)
    said = await asked(services, viewer, turn.conversation_id)
    assert said[0] == "go" and sorted(said[1:]) == [f"number {number}" for number in range(8)]


async def test_sending_the_same_message_again_queues_it_once(services: Services, viewer: Viewer) -> None:
    turn = await services.chats.send_message(viewer, None, "one", ENDLESS)
    question_id = new_id()
    for _ in range(3):
        await services.chats.send_message(viewer, turn.conversation_id, "two", BRIEF, question_id=question_id)
    assert await waiting(services, viewer, turn.conversation_id) == ["two"]
    await services.chats.stop(viewer, turn.conversation_id)


async def test_withdrawing_the_next_one_in_the_moment_of_its_turn_leaves_none_behind(
    services: Services, viewer: Viewer
) -> None:
    for _ in range(5):
        turn = await services.chats.send_message(viewer, None, "one", ENDLESS)
        two, _three = [
            (await services.chats.send_message(viewer, turn.conversation_id, text, BRIEF)).question_id
            for text in ("two", "three")
        ]
        await asyncio.gather(
            services.chats.stop(viewer, turn.conversation_id),
            services.chats.cancel_queued(viewer, turn.conversation_id, two),
            return_exceptions=True,
        )
        await ended(services, viewer, turn.conversation_id)
        assert await waiting(services, viewer, turn.conversation_id) == []
        assert "three" in await asked(services, viewer, turn.conversation_id)


async def test_what_waits_for_a_model_that_may_not_be_used_any_more_is_not_asked(
    services: Services, viewer: Viewer, owner_url: str
) -> None:
    turn = await services.chats.send_message(viewer, None, "one", "scripted:tokens=20,rate=20,fault=cut,at=10")
    await services.chats.send_message(viewer, turn.conversation_id, "two", BRIEF)
    await ended(services, viewer, turn.conversation_id)
    guest = replace(viewer, permissions=frozenset({Permission.CONVERSATIONS_CREATE}))
    with pytest.raises(NotAllowed):
        await services.chats.send_next_queued(guest, turn.conversation_id)
    with psycopg.connect(owner_url) as connection:
        connection.execute("UPDATE user_account SET suspended_at = now() WHERE id = %s", (viewer.user_id,))
    assert await services.chats.send_next_queued(viewer, turn.conversation_id) is False
    assert await waiting(services, viewer, turn.conversation_id) == ["two"]


async def test_what_waits_is_asked_only_with_the_rights_of_its_turn(
    services: Services, viewer: Viewer, owner_url: str
) -> None:
    turn = await services.chats.send_message(viewer, None, "one", ENDLESS)
    await services.chats.send_message(viewer, turn.conversation_id, "two", BRIEF)
    with psycopg.connect(owner_url) as connection:
        connection.execute("UPDATE user_account SET role = 'guest' WHERE id = %s", (viewer.user_id,))
    await services.chats.stop(viewer, turn.conversation_id)
    await ended(services, viewer, turn.conversation_id)
    assert await waiting(services, viewer, turn.conversation_id) == ["two"]
    assert await asked(services, viewer, turn.conversation_id) == ["one"]
    with psycopg.connect(owner_url) as connection:
        connection.execute(
            "INSERT INTO access_grant (id, principal_kind, principal, resource_kind, resource, action)"
            " VALUES (%s, 'person', %s, 'model', %s, 'use')",
            (new_id(), str(viewer.user_id), BRIEF),
        )
    assert await services.chats.send_next_queued(replace(viewer, permissions=frozenset()), turn.conversation_id)
    await ended(services, viewer, turn.conversation_id)
    assert await asked(services, viewer, turn.conversation_id) == ["one", "two"]


async def test_a_question_that_was_taken_is_known_again_even_without_a_model(
    services: Services, viewer: Viewer
) -> None:
    question_id = new_id()
    turn = await services.chats.send_message(viewer, None, "one", BRIEF, question_id=question_id)
    for conversation_id in (None, turn.conversation_id):
        again = await services.chats.send_message(viewer, conversation_id, "one", "", question_id=question_id)
        assert again.conversation_id == turn.conversation_id
    with pytest.raises(InvalidInput, match="no model"):
        await services.chats.send_message(viewer, turn.conversation_id, "two", "")


async def test_the_queue_has_an_end(services: Services, viewer: Viewer) -> None:
    turn = await services.chats.send_message(viewer, None, "one", ENDLESS)
    for number in range(QUEUE_MESSAGES):
        await services.chats.send_message(viewer, turn.conversation_id, f"{number}", BRIEF)
    with pytest.raises(Conflict, match="20 messages wait here already"):
        await services.chats.send_message(viewer, turn.conversation_id, "one too many", BRIEF)
    await services.conversations.remove(viewer, turn.conversation_id)


async def test_what_waits_in_a_conversation_that_is_deleted_is_asked_only_after_an_undo(
    services: Services, viewer: Viewer
) -> None:
    turn = await services.chats.send_message(viewer, None, "one", ENDLESS)
    await services.chats.send_message(viewer, turn.conversation_id, "two", BRIEF)
    await services.conversations.remove(viewer, turn.conversation_id)
    async with asyncio.timeout(10):
        while services.engine._jobs:
            await asyncio.sleep(0.02)
    await services.conversations.restore(viewer, turn.conversation_id)
    assert await asked(services, viewer, turn.conversation_id) == ["one"]
    assert await waiting(services, viewer, turn.conversation_id) == ["two"]


async def test_a_strangers_queue_is_not_found_by_any_verb(services: Services, viewer: Viewer, owner_url: str) -> None:
    turn = await services.chats.send_message(viewer, None, "one", ENDLESS)
    two = (await services.chats.send_message(viewer, turn.conversation_id, "two", BRIEF)).question_id
    stranger = add_viewer(owner_url, "Mallory")
    for attempt in (
        services.chats.edit_queued(stranger, turn.conversation_id, two, "theirs"),
        services.chats.cancel_queued(stranger, turn.conversation_id, two),
        services.chats.send_next_queued(stranger, turn.conversation_id),
        services.chats.cancel_queued(viewer, new_id(), two),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert await waiting(services, viewer, turn.conversation_id) == ["two"]
    await services.conversations.remove(viewer, turn.conversation_id)
