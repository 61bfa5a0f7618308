"""Time travel: a conversation as it was after any of its events, and the ways back to it."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.conversation_events import ConversationCreated
from rxchat.domain.errors import Conflict, InvalidInput, NotAllowed, NotFound
from rxchat.domain.messages import MessageState, ThreadMessage
from rxchat.domain.permissions import Scope
from rxchat.services.app.container import Services
from rxchat.services.chat import forks
from tests.factories import add_user
from tests.services.answering import ENDLESS, ended, grown
from tests.services.conversation import BRIEF, Conversation

pytestmark = pytest.mark.anyio


@pytest.fixture
async def conversation(services: Services, current_user: CurrentUser) -> Conversation:
    """A conversation of one turn."""
    turn = await services.chat.messages.send_message(current_user, None, "one", BRIEF)
    await ended(services, current_user, turn.conversation_id)
    return Conversation(services, current_user, turn.conversation_id)


async def seq_of(conversation: Conversation) -> int:
    """Return the seq of the last event."""
    at = conversation.services.chat.conversation_history.at
    return (await at(conversation.user, conversation.id)).history.seq


async def stop(conversation: Conversation, characters: int) -> ThreadMessage:
    """Stop the answer that is being written when it has so many characters, and return it."""
    services, user = conversation.services, conversation.user
    page = await services.chat.conversations.open(user, conversation.id)
    assert page.run is not None
    async with services.chat.answer_streams.following(user.user_id, page.run.id) as answer:
        await grown(answer, characters)
    await services.chat.messages.stop(user, conversation.id)
    return await ended(services, user, conversation.id)


async def restore(conversation: Conversation, seq: int) -> int:
    """Return to an event, and check that this is what is shown then."""
    history = conversation.services.chat.conversation_history
    then = await history.at(conversation.user, conversation.id, seq)
    before = await history.restore(conversation.user, conversation.id, seq)
    shown = await conversation.shown()
    wanted = [message for message in then.branch if message.state is not MessageState.RUNNING]
    assert [(item.role, item.text, item.state) for item in shown] == [
        (item.role, item.text, item.state) for item in wanted
    ]
    return before


async def test_a_conversation_is_shown_as_it_was_after_each_of_its_events(
    conversation: Conversation, services: Services
) -> None:
    history, first = services.chat.conversation_history, await conversation.shown()
    at_first = await seq_of(conversation)
    await conversation.ask("two")
    await services.chat.conversations.rename(conversation.user, conversation.id, "Better")
    await conversation.branches.delete(conversation.user, conversation.id, first[0].id)
    latest = await history.at(conversation.user, conversation.id)
    assert (latest.branch, latest.history.title) == ([], "Better")
    then = await history.at(conversation.user, conversation.id, at_first)
    assert [message.text for message in then.branch] == [message.text for message in first]
    assert [message.created_at for message in then.branch] == [message.created_at for message in first]
    assert then.history.title == "one" and then.latest.title == "Better"
    counts = [
        len((await history.at(conversation.user, conversation.id, seq)).branch)
        for seq in range(1, latest.history.seq + 1)
    ]
    assert counts == [*sorted(counts[:-1]), 0] and max(counts) == 4
    begun = await history.at(conversation.user, conversation.id, -5)
    assert isinstance(begun.event, ConversationCreated) and begun.history.seq == 1
    assert (await history.at(conversation.user, conversation.id, 10_000)).history.seq == latest.history.seq


async def test_what_was_shown_returns_and_so_does_what_was_shown_before_that(
    conversation: Conversation, services: Services
) -> None:
    await conversation.ask("two")
    two_turns = await seq_of(conversation)
    first = (await conversation.shown())[0]
    await conversation.edit(first, "one, but better")
    await services.chat.conversations.rename(conversation.user, conversation.id, "Better")
    edited = await conversation.shown()
    before = await restore(conversation, two_turns)
    assert (await services.chat.conversations.open(conversation.user, conversation.id)).title == "one"
    await restore(conversation, before)
    assert [message.id for message in await conversation.shown()] == [message.id for message in edited]
    assert (await services.chat.conversations.open(conversation.user, conversation.id)).title == "Better"
    await restore(conversation, 1)
    assert await conversation.shown() == []
    with pytest.raises(Conflict, match="as it was then"):
        await services.chat.conversation_history.restore(conversation.user, conversation.id, 1)


async def test_deleted_messages_return(conversation: Conversation) -> None:
    await conversation.ask("two")
    two_turns, before = await seq_of(conversation), await conversation.shown()
    await conversation.branches.delete(conversation.user, conversation.id, before[2].id)
    await conversation.branches.delete(conversation.user, conversation.id, before[0].id)
    await conversation.ask("something else")
    await restore(conversation, two_turns)
    assert [message.id for message in await conversation.shown()] == [message.id for message in before]
    await conversation.ask("three")
    assert await conversation.texts() == ["one", "two", "three"]


async def test_an_answer_that_was_written_again_is_copied_as_it_was(
    services: Services, current_user: CurrentUser
) -> None:
    turn = await services.chat.messages.send_message(current_user, None, "one", ENDLESS)
    found = Conversation(services, current_user, turn.conversation_id)
    stopped, at_stop = await stop(found, 20), await seq_of(found)
    await services.chat.messages.continue_answer(current_user, found.id, stopped.id)
    again = await stop(found, len(stopped.text) + 20)
    assert again.id == stopped.id and len(again.text) > len(stopped.text)
    await restore(found, at_stop)
    shown = await found.shown()
    assert shown[1].versions == [stopped.id, shown[1].id] and shown[1].text == stopped.text


async def test_an_answer_that_was_being_written_is_left_out(conversation: Conversation) -> None:
    await restore(conversation, 3)
    assert [message.text for message in await conversation.shown()] == ["one"]
    await conversation.regenerate((await conversation.shown())[0])
    assert len(await conversation.shown()) == 2


async def test_a_fork_from_the_past_is_a_conversation_of_its_own(
    conversation: Conversation, services: Services
) -> None:
    then = await seq_of(conversation)
    before = await conversation.shown()
    await conversation.ask("two")
    await services.chat.conversations.rename(conversation.user, conversation.id, "Better")
    fork_id = await services.chat.conversation_history.fork(conversation.user, conversation.id, then)
    fork = await services.chat.conversations.open(conversation.user, fork_id)
    assert fork.title == "one (fork)"
    assert [(item.text, item.created_at) for item in fork.messages] == [(item.text, item.created_at) for item in before]
    empty = await services.chat.conversation_history.fork(conversation.user, conversation.id, 1)
    assert (await services.chat.conversations.open(conversation.user, empty)).messages == ()
    assert len(await conversation.shown()) == 4


async def test_a_source_that_is_no_longer_readable_does_not_return(
    conversation: Conversation, services: Services
) -> None:
    collections = services.documents.collections
    kept, gone = [await collections.create(conversation.user, name) for name in ("Kept", "Gone")]
    sources = services.chat.context_sources
    for found in (kept, gone):
        await sources.attach(conversation.user, conversation.id, found)
    then = await seq_of(conversation)
    for found in (kept, gone):
        await sources.detach(conversation.user, conversation.id, found)
    await services.documents.files.remove_collection(conversation.user, gone)
    await restore(conversation, then)
    assert [item.name for item in await sources.of(conversation.user, conversation.id)] == ["Kept"]
    await restore(conversation, then - 2)
    assert await sources.of(conversation.user, conversation.id) == []


async def test_only_the_owner_travels_and_only_while_nothing_is_written(
    conversation: Conversation, services: Services, owner_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    history, stranger = services.chat.conversation_history, add_user(owner_url, "Eve")
    await services.access.grants.add(
        conversation.user, principal_kind="user", principal=str(stranger.user_id), resource_kind="conversation",
        resource=str(conversation.id), action="read", client_info=ClientInfo(),
    )  # fmt: skip
    for refused in (
        history.at(stranger, conversation.id, 1),
        history.restore(stranger, conversation.id, 1),
        history.fork(stranger, conversation.id, 1),
        history.at(conversation.user, UUID(int=5)),
    ):
        with pytest.raises(NotFound):
            await refused
    with pytest.raises(NotAllowed):
        await history.restore(replace(conversation.user, scopes=frozenset({Scope.READ})), conversation.id, 1)
    monkeypatch.setattr(forks, "FORK_MESSAGES", 1)
    with pytest.raises(InvalidInput, match="A fork can have 1 messages"):
        await history.fork(conversation.user, conversation.id, 10_000)
    await services.chat.messages.send_message(conversation.user, conversation.id, "two", ENDLESS)
    with pytest.raises(Conflict, match="still being written"):
        await history.restore(conversation.user, conversation.id, 1)
    await services.chat.messages.stop(conversation.user, conversation.id)
    await ended(services, conversation.user, conversation.id)
