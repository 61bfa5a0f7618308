"""Versions of messages: nothing that was said is lost, and a conversation shows one branch at a time."""

from __future__ import annotations

import asyncio
import itertools
from uuid import UUID

import pytest

from rxchat.db.chat import conversation_sources
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.errors import Conflict, InvalidInput, NotAllowed, NotFound
from rxchat.domain.ids import new_id
from rxchat.domain.messages import MessageState
from rxchat.domain.retrieval import Passage, Source
from rxchat.services.app.container import Services
from rxchat.services.chat import branches
from tests.factories import add_user
from tests.peers.scripted_ollama import ScriptedOllama
from tests.services.answering import ENDLESS, ended
from tests.services.conversation import BRIEF, Conversation

pytestmark = pytest.mark.anyio

OTHER = "scripted:tokens=4"


@pytest.fixture
async def conversation(services: Services, current_user: CurrentUser) -> Conversation:
    """A conversation of two turns."""
    turn = await services.chat.messages.send_message(current_user, None, "one", BRIEF)
    await ended(services, current_user, turn.conversation_id)
    found = Conversation(services, current_user, turn.conversation_id)
    await found.ask("two")
    return found


async def test_an_edited_question_begins_a_branch_and_the_earlier_one_is_kept(conversation: Conversation) -> None:
    before = await conversation.shown()
    await conversation.edit(before[0], "one, but better", OTHER)
    shown = await conversation.shown()
    assert [message.text.strip() for message in shown] == ["one, but better", "word word word word"]
    assert shown[0].versions == [before[0].id, shown[0].id] and shown[1].model == OTHER
    await conversation.branches.choose_version(conversation.user, conversation.id, before[0].id)
    assert [message.id for message in await conversation.shown()] == [message.id for message in before]
    assert (await conversation.shown())[0].versions == shown[0].versions
    await conversation.ask("three")
    assert await conversation.texts() == ["one", "two", "three"]


async def test_an_edit_that_is_sent_twice_is_one_version(conversation: Conversation) -> None:
    first, question = (await conversation.shown())[0], new_id()
    for _ in range(2):
        await conversation.branches.edit_question(
            conversation.user, conversation.id, first.id, "better", BRIEF, question_id=question
        )
        await ended(conversation.services, conversation.user, conversation.id)
    assert (await conversation.shown())[0].versions == [first.id, question]


async def test_an_id_of_another_conversation_is_refused(
    conversation: Conversation, services: Services, current_user: CurrentUser
) -> None:
    first, elsewhere = (await conversation.shown())[0], new_id()
    turn = await services.chat.messages.send_message(current_user, None, "elsewhere", BRIEF, question_id=elsewhere)
    await ended(services, current_user, turn.conversation_id)
    with pytest.raises(Conflict, match="in another conversation"):
        await conversation.branches.edit_question(
            current_user, conversation.id, first.id, "better", BRIEF, question_id=elsewhere
        )
    assert (await conversation.shown())[0].id == first.id


async def test_an_answer_is_given_again_and_the_model_sees_the_branch_it_answers(
    conversation: Conversation, ollama: ScriptedOllama
) -> None:
    before = await conversation.shown()
    ollama.asked.clear()
    await conversation.regenerate(before[1], OTHER)
    assert [message["content"] for message in ollama.asked[-1]["messages"]] == ["one"]
    shown = await conversation.shown()
    assert [message.id for message in shown[:1]] == [before[0].id] and len(shown) == 2
    assert shown[1].versions == [before[1].id, shown[1].id] and shown[1].model == OTHER
    await conversation.ask("and then?")
    told = [message["content"].strip() for message in ollama.asked[-1]["messages"]]
    assert told == ["one", "word word word word", "and then?"]


async def test_a_question_without_an_answer_can_be_answered(conversation: Conversation) -> None:
    before = await conversation.shown()
    await conversation.branches.delete(conversation.user, conversation.id, before[3].id)
    assert [message.id for message in await conversation.shown()] == [message.id for message in before[:3]]
    await conversation.regenerate(before[2])
    shown = await conversation.shown()
    assert len(shown) == 4 and shown[3].versions == [shown[3].id]


async def test_an_edited_answer_is_a_version_that_the_model_goes_on_from(
    conversation: Conversation, ollama: ScriptedOllama
) -> None:
    before = await conversation.shown()
    await conversation.branches.edit_answer(conversation.user, conversation.id, before[3].id, "What I say.")
    shown = await conversation.shown()
    assert (shown[3].text, shown[3].state, shown[3].model) == ("What I say.", MessageState.DONE, before[3].model)
    assert shown[3].versions == [before[3].id, shown[3].id]
    await conversation.ask("go on")
    assert ollama.asked[-1]["messages"][-2]["content"] == "What I say."


async def test_a_deleted_message_is_hidden_with_what_follows_until_it_is_restored(conversation: Conversation) -> None:
    before = await conversation.shown()
    deleted = await conversation.branches.delete(conversation.user, conversation.id, before[1].id)
    assert deleted == 2
    assert [message.id for message in await conversation.shown()] == [before[0].id]
    await conversation.branches.restore(conversation.user, conversation.id, before[1].id)
    assert [message.id for message in await conversation.shown()] == [message.id for message in before]
    with pytest.raises(Conflict, match="not deleted"):
        await conversation.branches.restore(conversation.user, conversation.id, before[1].id)


async def test_deleting_a_version_shows_another_one_and_the_first_message_leaves_an_empty_conversation(
    conversation: Conversation,
) -> None:
    before = await conversation.shown()
    await conversation.edit(before[0], "better")
    better = (await conversation.shown())[0]
    await conversation.branches.delete(conversation.user, conversation.id, better.id)
    shown = await conversation.shown()
    assert await conversation.texts() == ["one", "two"] and shown[0].versions == [before[0].id]
    await conversation.branches.delete(conversation.user, conversation.id, before[0].id)
    assert await conversation.shown() == []
    await conversation.ask("a new beginning")
    assert await conversation.texts() == ["a new beginning"]
    for hidden in (better.id, before[2].id):
        with pytest.raises(NotFound):
            await conversation.branches.choose_version(conversation.user, conversation.id, hidden)


async def test_a_fork_is_a_conversation_of_its_own_with_what_was_said_up_to_there(conversation: Conversation) -> None:
    services, user, before = conversation.services, conversation.user, await conversation.shown()
    fork_id = await services.chat.forks.fork(user, conversation.id, before[1].id)
    fork = Conversation(services, user, fork_id)
    shown = await fork.shown()
    assert [(message.role, message.text, message.model, message.created_at) for message in shown] == [
        (message.role, message.text, message.model, message.created_at) for message in before[:2]
    ]
    assert {message.id for message in shown}.isdisjoint(message.id for message in before)
    await fork.ask("elsewhere")
    assert await fork.texts() == ["one", "elsewhere"] and await conversation.texts() == ["one", "two"]
    assert (await services.chat.conversations.open(user, fork_id)).title == "one (fork)"


async def test_a_fork_keeps_the_sources_of_its_answers(
    conversation: Conversation, services: Services, collection: UUID, database_url: str
) -> None:
    user, last = conversation.user, (await conversation.shown())[-1]
    await services.chat.context_sources.attach(user, conversation.id, collection)
    passage = Passage(
        new_id(), new_id(), user.user_id, collection, "handbook.pdf", "", 3, 0, 5, 9, 0, "what it says", b"h", 0.5
    )
    database = Database(database_url, pool_size=1)
    async with database.begin(user.user_id) as session:
        await conversation_sources.save_sources(
            session, user.user_id, conversation.id, last.id, [Source(1, passage), Source(2, passage)]
        )
    await database.aclose()
    fork_id = await services.chat.forks.fork(user, conversation.id, last.id)
    assert [item.id for item in await services.chat.context_sources.of(user, fork_id)] == [collection]
    copy = (await Conversation(services, user, fork_id).shown())[-1]
    for place, message in ((conversation.id, last), (fork_id, copy)):
        _, sources = await services.chat.conversations.citations(user, place, message.id)
        assert [(item.number, item.name, item.page, item.text) for item in sources] == [
            (number, "handbook.pdf", 3, "what it says") for number in (1, 2)
        ]


async def test_while_an_answer_is_written_the_branch_stays(services: Services, current_user: CurrentUser) -> None:
    turn = await services.chat.messages.send_message(current_user, None, "one", BRIEF)
    await ended(services, current_user, turn.conversation_id)
    busy = Conversation(services, current_user, turn.conversation_id)
    first, answer = await busy.shown()
    await services.chat.messages.send_message(current_user, busy.id, "two", ENDLESS)
    for refused in (
        busy.branches.edit_question(current_user, busy.id, first.id, "x", BRIEF, question_id=new_id()),
        busy.branches.regenerate(current_user, busy.id, answer.id, BRIEF),
        busy.branches.edit_answer(current_user, busy.id, answer.id, "x"),
        busy.branches.choose_version(current_user, busy.id, first.id),
        busy.branches.delete(current_user, busy.id, first.id),
    ):
        with pytest.raises(Conflict, match="still being written"):
            await refused
    running = (await busy.shown())[-1]
    with pytest.raises(Conflict, match="still being written"):
        await services.chat.forks.fork(current_user, busy.id, running.id)
    await services.chat.messages.stop(current_user, busy.id)
    await ended(services, current_user, busy.id)
    assert await busy.texts() == ["one", "two"]


async def test_queued_messages_keep_the_branch_that_they_were_written_for(
    services: Services, current_user: CurrentUser, ollama: ScriptedOllama
) -> None:
    failing = "scripted:fault=cut,at=3,hold=2"
    ollama.offered = [*ollama.offered, failing]
    turn = await services.chat.messages.send_message(current_user, None, "one", BRIEF)
    await ended(services, current_user, turn.conversation_id)
    held = Conversation(services, current_user, turn.conversation_id)
    await services.chat.messages.send_message(current_user, held.id, "two", failing)
    await services.chat.messages.send_message(current_user, held.id, "later", BRIEF)
    ollama.go_on()
    await ended(services, current_user, held.id)
    first, answer, _, failed = await held.shown()
    assert failed.state is not MessageState.DONE
    for refused in (
        held.branches.edit_question(current_user, held.id, first.id, "x", BRIEF, question_id=new_id()),
        held.branches.regenerate(current_user, held.id, answer.id, BRIEF),
        held.branches.edit_answer(current_user, held.id, answer.id, "x"),
        held.branches.delete(current_user, held.id, failed.id),
    ):
        with pytest.raises(Conflict, match="queued"):
            await refused
    await held.regenerate(failed)
    assert await held.texts() == ["one", "two", "later"]


async def test_a_deletion_is_undone_while_an_answer_is_written_as_a_version(
    conversation: Conversation, services: Services
) -> None:
    user, before = conversation.user, await conversation.shown()
    await conversation.branches.delete(user, conversation.id, before[2].id)
    await services.chat.messages.send_message(user, conversation.id, "another", ENDLESS)
    await conversation.branches.restore(user, conversation.id, before[2].id)
    shown = await conversation.shown()
    assert shown[2].text == "another" and before[2].id in shown[2].versions
    await services.chat.messages.stop(user, conversation.id)
    await ended(services, user, conversation.id)
    await conversation.branches.choose_version(user, conversation.id, before[2].id)
    assert [message.id for message in await conversation.shown()] == [message.id for message in before]


async def test_an_answer_that_is_not_shown_is_not_written_again(
    services: Services, current_user: CurrentUser, ollama: ScriptedOllama
) -> None:
    failing = "scripted:fault=cut,at=3"
    ollama.offered = [*ollama.offered, failing]
    turn = await services.chat.messages.send_message(current_user, None, "one", failing)
    await ended(services, current_user, turn.conversation_id)
    found = Conversation(services, current_user, turn.conversation_id)
    failed = (await found.shown())[1]
    await found.branches.delete(current_user, found.id, failed.id)
    for again in (services.chat.messages.retry, services.chat.messages.continue_answer):
        with pytest.raises(NotFound):
            await again(current_user, found.id, failed.id)


async def test_readers_see_the_branch_that_is_shown_and_nothing_else(
    conversation: Conversation, services: Services, owner_url: str
) -> None:
    reader, before = add_user(owner_url, "Reader"), await conversation.shown()
    await services.access.grants.add(
        conversation.user, principal_kind="user", principal=str(reader.user_id), resource_kind="conversation",
        resource=str(conversation.id), action="read", client_info=ClientInfo(),
    )  # fmt: skip
    await conversation.branches.delete(conversation.user, conversation.id, before[2].id)
    conversations = services.chat.conversations
    assert len((await conversations.open(reader, conversation.id)).messages) == 2
    for message in before[2:]:
        for attempt in (
            conversations.open(reader, conversation.id, before=message.id),
            conversations.message(reader, conversation.id, message.id),
            conversations.citations(reader, conversation.id, message.id),
        ):
            with pytest.raises(NotFound):
                await attempt
    assert (await conversations.message(reader, conversation.id, before[1].id)).text == before[1].text


async def test_two_tabs_that_answer_again_at_once_begin_one_answer(conversation: Conversation) -> None:
    last = (await conversation.shown())[-1]
    found = await asyncio.gather(
        *(conversation.branches.regenerate(conversation.user, conversation.id, last.id, ENDLESS) for _ in range(4)),
        return_exceptions=True,
    )
    assert sum(isinstance(item, UUID) for item in found) == 1
    assert all(isinstance(item, (UUID, Conflict)) for item in found)
    await conversation.services.chat.messages.stop(conversation.user, conversation.id)
    await ended(conversation.services, conversation.user, conversation.id)


async def test_what_is_wrong_is_refused_and_changes_nothing(
    conversation: Conversation, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, before = conversation.user, await conversation.shown()
    edit = conversation.branches.edit_question
    with pytest.raises(InvalidInput, match="Enter a message"):
        await edit(user, conversation.id, before[0].id, "  ", BRIEF, question_id=new_id())
    with pytest.raises(InvalidInput, match="No model"):
        await edit(user, conversation.id, before[0].id, "x", "", question_id=new_id())
    with pytest.raises(NotFound):
        await edit(user, conversation.id, before[1].id, "an answer is no question", BRIEF, question_id=new_id())
    with pytest.raises(NotFound):
        await conversation.branches.edit_answer(user, conversation.id, before[0].id, "nor a question an answer")
    with pytest.raises(NotFound):
        await conversation.branches.delete(user, conversation.id, new_id())
    with pytest.raises(InvalidInput, match="no valid id"):
        await edit(user, conversation.id, before[0].id, "x", BRIEF, question_id=conversation.id)
    with pytest.raises(InvalidInput, match="no valid id"):
        await services.chat.messages.send_message(user, conversation.id, "x", BRIEF, question_id=conversation.id)
    monkeypatch.setattr(branches, "VERSIONS", 1)
    for refused in (
        conversation.branches.regenerate(user, conversation.id, before[0].id, BRIEF),
        conversation.branches.edit_answer(user, conversation.id, before[1].id, "x"),
        edit(user, conversation.id, before[0].id, "x", BRIEF, question_id=new_id()),
        conversation.branches.regenerate(user, conversation.id, before[1].id, BRIEF),
    ):
        with pytest.raises(Conflict, match="versions"):
            await refused
    assert await conversation.shown() == before


async def test_messages_of_others_and_of_other_conversations_are_not_there(
    conversation: Conversation, services: Services, owner_url: str
) -> None:
    stranger = add_user(owner_url)
    mine = await conversation.shown()
    turn = await services.chat.messages.send_message(conversation.user, None, "elsewhere", BRIEF)
    await ended(services, conversation.user, turn.conversation_id)
    found = services.chat.branches
    for user, place in ((stranger, conversation.id), (conversation.user, turn.conversation_id)):
        for message, act in itertools.product(
            mine[:2],
            (
                lambda user, place, item: found.regenerate(user, place, item, BRIEF),
                found.choose_version,
                found.delete,
                found.restore,
                lambda user, place, item: found.edit_answer(user, place, item, "x"),
                lambda user, place, item: found.edit_question(user, place, item, "x", BRIEF, question_id=new_id()),
                services.chat.forks.fork,
            ),
        ):
            with pytest.raises((NotFound, NotAllowed)):
                await act(user, place, message.id)
    assert await conversation.shown() == mine
