"""An engine dies in mid-answer: another one goes on, and everybody sees one whole answer."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

import psycopg
import pytest

from rxchat.connections import Connections
from rxchat.db.chat import turn_queries as asking
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.errors import Conflict, NotFound
from rxchat.domain.ids import new_id
from rxchat.domain.messages import MessageState, ThreadMessage
from rxchat.domain.runs import LEASE_SECONDS, ChunkKind, RunChunk
from rxchat.lifespan import running
from rxchat.services.app.container import Services
from rxchat.services.chat.answer_stream import AnswerStream
from rxchat.settings import Settings
from tests.factories import add_user
from tests.peers.scripted_model import counted
from tests.peers.scripted_ollama import ScriptedOllama
from tests.services.answering import ENDLESS, ended, following, grown, kill, stored

pytestmark = pytest.mark.anyio

WHOLE = counted(1, 150)


async def interrupted(settings: Settings, at: Connections, model: str, owner_url: str) -> ThreadMessage:
    """Return the answer of a model whose engine died in the middle of it, as the next engine left it."""
    current_user = add_user(owner_url)
    async with running(settings, at) as dying:
        turn = await dying.chat.messages.send_message(current_user, None, "count", model)
        async with following(dying, current_user, turn) as answer:
            await grown(answer, 120)
        await stored(dying, turn, 100)
        kill(dying)
        async with running(settings, at) as heir:
            return await ended(heir, current_user, turn.conversation_id, LEASE_SECONDS + 60)


@pytest.mark.parametrize("resume", ["on", "anew", "other", "none"])
async def test_however_the_model_takes_it_the_answer_ends_as_one(
    settings: Settings, at: Connections, owner_url: str, resume: str
) -> None:
    message = await interrupted(
        settings, at, f"scripted:count=1,tokens=150,rate=100,hold=60,resume={resume}", owner_url
    )
    assert (message.state, message.error) == (MessageState.DONE, "")
    if resume == "other":
        # Nobody can tell that it is not what the model wanted to say; nothing of what was said is lost, though.
        said, something, rest = message.text.partition("Something")
        assert len(said) > 60 and WHOLE.startswith(said) and (something + rest).endswith("what was asked.")
    else:
        assert message.text == WHOLE


async def test_a_model_that_cannot_go_on_leaves_what_was_said_and_a_way_on(
    settings: Settings, at: Connections, owner_url: str, ollama: ScriptedOllama
) -> None:
    current_user = add_user(owner_url)
    model = "scripted:count=1,tokens=150,rate=100,hold=60,resume=never"
    async with running(settings, at) as dying:
        turn = await dying.chat.messages.send_message(current_user, None, "count", model)
        async with following(dying, current_user, turn) as answer:
            await grown(answer, 120)
        await stored(dying, turn, 100)
        kill(dying)
        async with running(settings, at) as heir:
            message = await ended(heir, current_user, turn.conversation_id, LEASE_SECONDS + 60)
            assert message.state is MessageState.INTERRUPTED and message.error_code == "answer_interrupted"
            assert len(message.text) >= 100
            asked = len(ollama.asked)
            await heir.chat.messages.continue_answer(current_user, turn.conversation_id, message.id)
            again = await ended(heir, current_user, turn.conversation_id)
            assert again.id == message.id and again.text == message.text
            assert [len(asking["messages"]) for asking in ollama.asked[asked:]] == [2, 3]


async def test_a_stopped_answer_goes_on_from_where_it_was_stopped(
    services: Services, current_user: CurrentUser
) -> None:
    turn = await services.chat.messages.send_message(
        current_user, None, "count", "scripted:count=1,tokens=150,rate=100,hold=60"
    )
    async with following(services, current_user, turn) as answer:
        await grown(answer, 100)
    await services.chat.messages.stop(current_user, turn.conversation_id)
    stopped = await ended(services, current_user, turn.conversation_id)
    assert stopped.state is MessageState.STOPPED and WHOLE.startswith(stopped.text)
    await services.chat.messages.continue_answer(current_user, turn.conversation_id, stopped.id)
    async with following(services, current_user, turn) as answer:
        await grown(answer, len(stopped.text) + 10)
        assert answer.text.startswith(stopped.text)
    whole = await ended(services, current_user, turn.conversation_id)
    assert (whole.id, whole.state, whole.text) == (stopped.id, MessageState.DONE, WHOLE)
    with pytest.raises(Conflict, match="complete"):
        await services.chat.messages.continue_answer(current_user, turn.conversation_id, whole.id)
    history = await services.chat.conversations.history(current_user, turn.conversation_id)
    assert history.messages[whole.id].text == WHOLE


async def test_a_stop_before_the_answer_was_taken_up_keeps_what_it_said(
    services: Services, current_user: CurrentUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn = await services.chat.messages.send_message(
        current_user, None, "go", "scripted:count=1,tokens=40,fault=cut,at=20"
    )
    failed = await ended(services, current_user, turn.conversation_id)
    assert failed.text == counted(1, 20)
    reading = asyncio.Event()

    async def never(*_arguments: object) -> None:
        reading.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(asking, "prompt_history", never)
    await services.chat.messages.continue_answer(current_user, turn.conversation_id, failed.id)
    await reading.wait()
    await services.chat.messages.stop(current_user, turn.conversation_id)
    stopped = await ended(services, current_user, turn.conversation_id)
    assert (stopped.state, stopped.text) == (MessageState.STOPPED, failed.text)


async def test_an_engine_that_finds_a_run_of_its_own_which_another_had_lets_go_of_it(
    services: Services, current_user: CurrentUser, owner_url: str
) -> None:
    turn = await services.chat.messages.send_message(
        current_user, None, "go", "scripted:count=1,tokens=150,rate=100,hold=60"
    )
    async with following(services, current_user, turn) as answer:
        await grown(answer, 60)
    await stored(services, turn, 60)
    with psycopg.connect(owner_url) as connection:
        # As if another engine had had it and given it back, with more words than ours.
        connection.execute("UPDATE run SET fence = fence + 1, state = 'queued', engine_id = NULL")
    assert (await ended(services, current_user, turn.conversation_id)).text == WHOLE


async def test_a_run_whose_engine_is_dead_is_stopped_here_and_now(
    settings: Settings, at: Connections, owner_url: str
) -> None:
    current_user = add_user(owner_url)
    async with running(settings, at) as dying:
        turn = await dying.chat.messages.send_message(current_user, None, "go", ENDLESS)
        async with following(dying, current_user, turn) as answer:
            await grown(answer, 300)
        await stored(dying, turn, 20)
        kill(dying)
        with psycopg.connect(owner_url) as connection:
            connection.execute("UPDATE run SET lease_until = now() - interval '1 minute'")
        assert await dying.chat.messages.stop(current_user, turn.conversation_id)
        page = await dying.chat.conversations.open(current_user, turn.conversation_id)
        assert page.run is None and page.messages[-1].state is MessageState.STOPPED
        assert page.messages[-1].text.startswith("word word")
    with psycopg.connect(owner_url) as connection:
        assert connection.execute("SELECT count(*) FROM run_chunk").fetchone() == (0,)


async def test_nobody_goes_on_with_a_strangers_answer(
    services: Services, current_user: CurrentUser, owner_url: str
) -> None:
    turn = await services.chat.messages.send_message(current_user, None, "go", "scripted:fault=cut,at=3")
    failed = await ended(services, current_user, turn.conversation_id)
    for who, conversation, message in (
        (add_user(owner_url, "Mallory"), turn.conversation_id, failed.id),
        (current_user, new_id(), failed.id),
        (current_user, turn.conversation_id, new_id()),
    ):
        with pytest.raises(NotFound):
            await services.chat.messages.continue_answer(who, conversation, message)


async def test_a_mirror_in_another_process_ends_with_exactly_what_is_stored(
    settings: Settings, at: Connections, owner_url: str
) -> None:
    current_user = add_user(owner_url)
    async with AsyncExitStack() as processes:
        reading = await processes.enter_async_context(running(settings.model_copy(update={"engine": False}), at))
        dying = await processes.enter_async_context(running(settings, at))
        turn = await reading.chat.messages.send_message(
            current_user, None, "count", "scripted:count=1,tokens=150,rate=100,hold=60"
        )
        async with following(reading, current_user, turn) as mirrored:
            await grown(mirrored, 120)
            await stored(dying, turn, 100)
            kill(dying)
            heir = await processes.enter_async_context(running(settings, at))
            message = await ended(heir, current_user, turn.conversation_id, LEASE_SECONDS + 60)
            async with asyncio.timeout(60):
                while not mirrored.ended:
                    await mirrored.changed(1)
            assert mirrored.text == message.text == WHOLE


@pytest.mark.parametrize("redis_url", [None, "redis://127.0.0.1:9/0"], ids=["none", "away"])
async def test_without_redis_a_reader_in_another_process_follows_from_postgres(
    settings: Settings, at: Connections, owner_url: str, ollama: ScriptedOllama, redis_url: str | None
) -> None:
    current_user = add_user(owner_url)
    at = replace(at, redis_url=redis_url)
    async with (
        running(settings, at) as writing,
        running(settings.model_copy(update={"engine": False}), at) as reading,
    ):
        turn = await reading.chat.messages.send_message(
            current_user, None, "count", "scripted:count=1,tokens=150,rate=100,hold=60"
        )
        async with following(reading, current_user, turn) as mirrored:
            await grown(mirrored, 100)
            assert not mirrored.ended
            ollama.go_on()
        assert (await ended(writing, current_user, turn.conversation_id)).text == WHOLE


async def test_a_process_without_an_engine_writes_nothing(
    settings: Settings, at: Connections, owner_url: str, ollama: ScriptedOllama
) -> None:
    current_user = add_user(owner_url)
    async with running(settings.model_copy(update={"engine": False}), at) as reading:
        turn = await reading.chat.messages.send_message(current_user, None, "go", ENDLESS)
        page = await reading.chat.conversations.open(current_user, turn.conversation_id)
        assert page.run is not None and page.run.is_waiting
        assert await reading.chat.messages.stop(current_user, turn.conversation_id)
        message = (await reading.chat.conversations.open(current_user, turn.conversation_id)).messages[-1]
    assert message.state is MessageState.STOPPED and ollama.asked == []


def test_what_was_shown_and_never_stored_gives_way_to_what_is_said_now() -> None:
    answer = AnswerStream(new_id(), new_id())
    answer.apply(RunChunk(ChunkKind.TEXT, 0, "one two three"))
    assert answer.apply(RunChunk(ChunkKind.TEXT, 4, "two")) and answer.rewrites == 0
    assert not answer.apply(RunChunk(ChunkKind.TEXT, 20, "gap"))
    assert answer.apply(RunChunk(ChunkKind.TEXT, 8, "four"))
    assert (answer.text, answer.rewrites) == ("one two four", 1)
    answer.truncate(ChunkKind.TEXT, 7)
    assert (answer.text, answer.rewrites) == ("one two", 2)
