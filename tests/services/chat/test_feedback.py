"""Ratings of answers: by their owner, one at a time, and read by administrators without the conversation."""

from __future__ import annotations

import dataclasses
from uuid import UUID

import pytest

from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.errors import Conflict, InvalidInput, NotAllowed, NotFound
from rxchat.domain.feedback import ModelRatings, Rating
from rxchat.domain.ids import new_id
from rxchat.domain.messages import ThreadMessage
from rxchat.services.app.container import Services
from rxchat.services.chat import feedback
from tests.factories import add_user
from tests.peers.scripted_ollama import ScriptedOllama
from tests.services.answering import ENDLESS, ended

pytestmark = pytest.mark.anyio
MODEL = "scripted:tokens=2"


@pytest.fixture
async def ollama(ollama: ScriptedOllama) -> ScriptedOllama:
    ollama.offered = [MODEL, ENDLESS]
    return ollama


async def answered(services: Services, current_user: CurrentUser) -> tuple[UUID, ThreadMessage]:
    """Ask, and return the conversation and the answer."""
    turn = await services.chat.messages.send_message(current_user, None, "A secret question", MODEL)
    return turn.conversation_id, await ended(services, current_user, turn.conversation_id)


async def share(services: Services, owner: CurrentUser, conversation_id: UUID, reader: CurrentUser) -> None:
    """Let another user read a conversation."""
    await services.access.grants.add(
        owner, principal_kind="user", principal=str(reader.user_id), resource_kind="conversation",
        resource=str(conversation_id), action="read", client_info=ClientInfo(),
    )  # fmt: skip


async def shown(services: Services, current_user: CurrentUser, conversation_id: UUID) -> dict[str, object]:
    """Return how the last answer is rated, without the time."""
    page = await services.chat.conversations.open(current_user, conversation_id)
    return {name: value for name, value in page.messages[-1].feedback.items() if name != "at"}


async def test_an_answer_has_one_rating_which_can_change_and_be_taken_back(
    services: Services, current_user: CurrentUser
) -> None:
    conversation_id, answer = await answered(services, current_user)
    rate = services.chat.feedback.rate
    await rate(current_user, conversation_id, answer.id, Rating.GOOD)
    assert await shown(services, current_user, conversation_id) == {"rating": "good", "reasons": [], "comment": ""}
    position = (await services.chat.conversations.open(current_user, conversation_id)).seq
    await rate(current_user, conversation_id, answer.id, Rating.GOOD)
    assert (await services.chat.conversations.open(current_user, conversation_id)).seq == position, "no second event"
    reasons = ["style", "incorrect", "style"]
    await rate(current_user, conversation_id, answer.id, Rating.BAD, reasons=reasons, comment=" Too\r\nlong\0 ")
    expected = {"rating": "bad", "reasons": ["incorrect", "style"], "comment": "Too\nlong\ufffd"}
    assert await shown(services, current_user, conversation_id) == expected
    await rate(current_user, conversation_id, answer.id, None)
    assert await shown(services, current_user, conversation_id) == {}


async def test_what_cannot_be_rated_is_refused(services: Services, current_user: CurrentUser, owner_url: str) -> None:
    conversation_id, answer = await answered(services, current_user)
    question = (await services.chat.conversations.open(current_user, conversation_id)).messages[0]
    rate, other = services.chat.feedback.rate, add_user(owner_url, "Other")
    await share(services, current_user, conversation_id, other)
    for user, message_id in ((current_user, question.id), (current_user, new_id()), (other, answer.id)):
        with pytest.raises(NotFound):
            await rate(user, conversation_id, message_id, Rating.GOOD)
    with pytest.raises(InvalidInput, match="not one of the reasons"):
        await rate(current_user, conversation_id, answer.id, Rating.BAD, reasons=["<script>"])
    with pytest.raises(InvalidInput, match="at most 2,000 characters; this text has 2,001"):
        await rate(current_user, conversation_id, answer.id, Rating.BAD, comment="x" * 2_001)
    await services.chat.branches.delete(current_user, conversation_id, question.id)
    with pytest.raises(NotFound):
        await rate(current_user, conversation_id, answer.id, Rating.GOOD)
    turn = await services.chat.messages.send_message(current_user, conversation_id, "Go on", ENDLESS)
    running = (await services.chat.conversations.open(current_user, turn.conversation_id)).messages[-1]
    with pytest.raises(Conflict, match="still being written"):
        await rate(current_user, conversation_id, running.id, Rating.GOOD)
    await services.chat.messages.stop(current_user, conversation_id)


async def test_readers_of_a_shared_conversation_see_no_rating(
    services: Services, current_user: CurrentUser, owner_url: str
) -> None:
    conversation_id, answer = await answered(services, current_user)
    reader = add_user(owner_url, "Reader")
    await share(services, current_user, conversation_id, reader)
    before = await services.chat.conversations.open(reader, conversation_id)
    await services.chat.feedback.rate(current_user, conversation_id, answer.id, Rating.BAD, comment="private")
    assert await shown(services, reader, conversation_id) == {}
    assert (await services.chat.conversations.message(reader, conversation_id, answer.id)).feedback == {}
    news = await services.chat.conversations.news(reader, conversation_id, before.seq)
    assert "private" not in repr(news) and len(news.events) == 1


async def test_a_rated_conversation_keeps_its_place_and_replays(services: Services, current_user: CurrentUser) -> None:
    first, answer = await answered(services, current_user)
    second, _ = await answered(services, current_user)
    await services.chat.feedback.rate(current_user, first, answer.id, Rating.GOOD)
    listed = await services.chat.conversations.page(current_user)
    assert [item.id for item in listed] == [second, first]
    history = await services.chat.conversations.history(current_user, first)
    assert history.messages[answer.id].feedback["rating"] == "good"


async def test_administrators_read_ratings_and_nothing_of_the_conversation(
    services: Services, current_user: CurrentUser, owner_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin, moderator = add_user(owner_url, "Root", "admin"), add_user(owner_url, "Mod", "moderator")
    conversation_id, answer = await answered(services, current_user)
    rate = services.chat.feedback.rate
    await rate(current_user, conversation_id, answer.id, Rating.BAD, reasons=["sources"], comment="No source")
    other_id, other = await answered(services, moderator)
    await rate(moderator, other_id, other.id, Rating.GOOD)
    found = await services.chat.feedback.received(admin)
    assert [(item.user_name, item.rating, item.reasons, item.comment) for item in found] == [
        ("Mod", Rating.GOOD, (), ""),
        (current_user.name, Rating.BAD, ("sources",), "No source"),
    ]
    assert "secret" not in repr([dataclasses.asdict(item) for item in found])
    assert await services.chat.feedback.by_model(admin) == [ModelRatings(MODEL, 1, 1)]
    monkeypatch.setattr(feedback, "PAGE", 1)
    [newest] = await services.chat.feedback.received(admin)
    assert [item.id for item in await services.chat.feedback.received(admin, newest)] == [str(answer.id)]
    for user in (current_user, moderator):
        with pytest.raises(NotAllowed):
            await services.chat.feedback.received(user)
        with pytest.raises(NotAllowed):
            await services.chat.feedback.by_model(user)
