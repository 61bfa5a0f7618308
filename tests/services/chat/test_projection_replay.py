"""The stored projections of conversations are what their events say, and an operator can prove and repair that."""

from __future__ import annotations

import argparse
import asyncio

import pytest

from rxchat import operator_commands
from rxchat.connections import ConfigurationError, Connections
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.feedback import Rating
from rxchat.domain.ids import new_id
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests import owner
from tests.services.answering import ENDLESS, ended
from tests.services.conversation import BRIEF, Conversation

pytestmark = pytest.mark.anyio


@pytest.fixture
async def conversation(services: Services, current_user: CurrentUser) -> Conversation:
    """A conversation to which everything has happened that an event can say."""
    turn = await services.chat.messages.send_message(current_user, None, "one", BRIEF)
    await ended(services, current_user, turn.conversation_id)
    found, chat = Conversation(services, current_user, turn.conversation_id), services.chat
    await found.ask("two")
    shown = await found.shown()
    await found.edit(shown[2], "two, but better")
    await found.branches.edit_answer(current_user, found.id, (await found.shown())[3].id, "as I say")
    await found.branches.choose_version(current_user, found.id, shown[2].id)
    await chat.feedback.rate(current_user, found.id, shown[1].id, Rating.GOOD)
    await found.branches.delete(current_user, found.id, shown[3].id)
    await found.branches.restore(current_user, found.id, shown[3].id)
    await chat.conversations.rename(current_user, found.id, "Better")
    await chat.conversations.pin(current_user, found.id, is_pinned=True)
    await chat.conversations.archive(current_user, found.id, is_archived=True)
    await chat.messages.send_message(current_user, found.id, "three", ENDLESS)
    await chat.messages.stop(current_user, found.id)
    await ended(services, current_user, found.id)
    await chat.conversation_history.restore(current_user, found.id, 8)
    collection = await services.documents.collections.create(current_user, "Team")
    await chat.context_sources.attach(current_user, found.id, collection)
    await chat.forks.fork(current_user, found.id, shown[1].id)
    gone = await chat.messages.send_message(current_user, None, "gone", BRIEF)
    await ended(services, current_user, gone.conversation_id)
    await chat.conversations.remove(current_user, gone.conversation_id)
    return found


@pytest.fixture(autouse=True)
def connected(at: Connections, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operator_commands, "connections", lambda _settings: at)


async def replay(settings: Settings, found: str = "", *, repair: bool = False) -> int:
    # A command has a loop of its own.
    chosen = argparse.Namespace(part="replay", id=found, repair=repair)
    return await asyncio.to_thread(operator_commands.conversation, settings, chosen)


async def test_what_is_stored_is_what_the_events_say(
    conversation: Conversation, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await replay(settings) == 0
    found = capsys.readouterr().out
    assert "3 conversations" in found and "what is stored is equal" in found
    assert await replay(settings, str(conversation.id)) == 0
    with pytest.raises(ConfigurationError, match="no conversation with this ID"):
        await replay(settings, str(new_id()))
    with pytest.raises(ConfigurationError, match="is no ID"):
        await replay(settings, "all")


async def test_what_differs_is_reported_and_repaired(
    conversation: Conversation, settings: Settings, owner_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before, user_id = await conversation.shown(), conversation.user.user_id
    second = before[1]
    with owner.transaction(owner_url) as connection:
        for statement in (
            "UPDATE conversation SET title = 'forged', pinned_at = NULL WHERE id = %(conversation)s",
            "UPDATE message SET text = 'forged', feedback = '{}' WHERE id = %(second)s",
            "DELETE FROM message WHERE id = %(first)s",
            "INSERT INTO message (owner_id, id, conversation_id, seq, parent_id, role, text, reasoning, model, state,"
            " error_code, error, tokens, seconds, tokens_per_second) VALUES (%(user)s, gen_random_uuid(), %(conversation)s, 99,"
            " %(second)s, 'user', 'added', '', '', 'done', '', '', 0, 0, 0)",
            "UPDATE conversation_source SET name = 'forged' WHERE conversation_id = %(conversation)s",
        ):
            connection.execute(
                statement.encode(),
                {"conversation": conversation.id, "second": second.id, "first": before[0].id, "user": user_id},
            )
    assert await replay(settings) == 1
    found = capsys.readouterr()
    for words in (
        "its title differs", "its pinned_at differs", f"message {second.id}: text, feedback",
        f"message {before[0].id} is missing", "has no event", "context source",
    ):  # fmt: skip
        assert words in found.out
    assert "1 differ" in found.err and "--repair" in found.err
    assert await replay(settings, repair=True) == 0
    assert "1 differed, and were repaired" in capsys.readouterr().out
    assert await replay(settings) == 0
    assert await conversation.shown() == before
    sources = await conversation.services.chat.context_sources.of(conversation.user, conversation.id)
    assert [item.name for item in sources] == ["Team"]
    with owner.transaction(owner_url) as connection:
        recorded = connection.execute("SELECT action FROM audit_event ORDER BY seq DESC LIMIT 1").fetchone()
    assert recorded == ("conversation_repaired",)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("DELETE FROM conversation_event WHERE conversation_id = %s AND seq = 2", "events are missing"),
        (
            "UPDATE conversation_event SET type = 'sung' WHERE conversation_id = %s AND seq = 3",
            "its events cannot be replayed",
        ),
    ],
)
async def test_a_conversation_whose_events_are_damaged_is_reported_and_never_repaired(
    conversation: Conversation,
    settings: Settings,
    owner_url: str,
    capsys: pytest.CaptureFixture[str],
    damage: str,
    words: str,
) -> None:
    before = [
        message.id
        for message in (
            await conversation.services.chat.conversations.open(conversation.user, conversation.id)
        ).messages
    ]
    with owner.transaction(owner_url) as connection:
        connection.execute(damage.encode(), (conversation.id,))
        connection.execute("UPDATE message SET text = 'forged' WHERE conversation_id <> %s", (conversation.id,))
    assert await replay(settings, repair=True) == 1
    found = capsys.readouterr()
    # The others are repaired in spite of it.
    assert words in found.out and "1 cannot be replayed" in found.err and "2 differed, and were repaired" in found.out
    page = await conversation.services.chat.conversations.open(conversation.user, conversation.id)
    assert [message.id for message in page.messages] == before
