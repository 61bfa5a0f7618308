"""A process that ends gives everything back; what is pressed late or twice does nothing; nothing is asked for ever."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import psycopg
import pytest

from rxchat.connections import Connections
from rxchat.db.chat import runs as run_rows
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.chat import AnswerFinished, ChatEvent, ChatMessage, TextDelta
from rxchat.domain.errors import Conflict, InvalidModelResponse
from rxchat.domain.ids import new_id
from rxchat.domain.messages import MessageState
from rxchat.domain.runs import ChunkKind, ClaimedRun
from rxchat.lifespan import running
from rxchat.services.app.container import Services
from rxchat.services.chat.answer_generator import AnswerGenerator
from rxchat.services.chat.answer_stream import AnswerStream
from rxchat.services.chat.stream_relay import StreamPublisher
from rxchat.settings import Settings
from tests.factories import add_user
from tests.peers.scripted_model import counted
from tests.peers.scripted_ollama import ScriptedOllama
from tests.services.answering import ENDLESS, ended, following, grown

pytestmark = pytest.mark.anyio

COUNTING = "scripted:count=1,tokens=150,rate=100,hold=60"
WHOLE = counted(1, 150)


def runs_of(owner_url: str, users: Sequence[CurrentUser]) -> list[tuple[Any, ...]]:
    with psycopg.connect(owner_url) as connection:
        return connection.execute(
            "SELECT state, engine_id, attempt FROM run WHERE owner_id = ANY(%s)", ([who.user_id for who in users],)
        ).fetchall()


async def test_what_is_being_written_is_given_back_at_once_and_goes_on_elsewhere(
    settings: Settings, at: Connections, owner_url: str
) -> None:
    users = [add_user(owner_url, f"Ada {number}") for number in range(6)]
    async with running(settings, at) as leaving:
        turns = [
            await leaving.chat.messages.send_message(current_user, None, "count", COUNTING) for current_user in users
        ]
        for current_user, turn in zip(users, turns, strict=True):
            async with following(leaving, current_user, turn) as answer:
                await grown(answer, 60)
        answers = [answer for answer, _ in leaving.chat.answer_streams._own.values()]
        await leaving.chat.run_engine.stop()
        shown = [answer.text for answer in answers]
        assert runs_of(owner_url, users) == [("queued", None, 0)] * 6
        with psycopg.connect(owner_url) as connection:
            stored = connection.execute(
                "SELECT string_agg(text, '' ORDER BY seq) FROM run_chunk WHERE owner_id = ANY(%s) GROUP BY run_id",
                ([current_user.user_id for current_user in users],),
            ).fetchall()
        assert sorted(text for (text,) in stored) == sorted(shown)
        async with running(settings, at) as heir:
            for current_user, turn in zip(users, turns, strict=True):
                assert (await ended(heir, current_user, turn.conversation_id, 30)).text == WHOLE


async def test_what_is_claimed_while_the_process_ends_is_given_back_too(
    services: Services, current_user: CurrentUser, owner_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_claimed, goes_on, claim = asyncio.Event(), asyncio.Event(), run_rows.claim
    is_in_place = asyncio.Event()

    async def slow_claim(*arguments: Any) -> list[ClaimedRun]:
        is_in_place.set()
        claimed = await claim(*arguments)
        if claimed:
            is_claimed.set()
            await goes_on.wait()
        return claimed

    monkeypatch.setattr(run_rows, "claim", slow_claim)
    await is_in_place.wait()
    await services.chat.messages.send_message(current_user, None, "go", ENDLESS)
    await is_claimed.wait()
    stopping = asyncio.create_task(services.chat.run_engine.stop())
    await asyncio.sleep(0)
    goes_on.set()
    await stopping
    assert runs_of(owner_url, [current_user]) == [("queued", None, 0)]


async def test_an_answer_that_is_complete_ends_here_though_the_process_ends(
    services: Services, current_user: CurrentUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_over, write = asyncio.Event(), AnswerGenerator.write

    async def lingering(self: AnswerGenerator) -> None:
        await write(self)
        is_over.set()
        await asyncio.sleep(3600)

    monkeypatch.setattr(AnswerGenerator, "write", lingering)
    turn = await services.chat.messages.send_message(current_user, None, "go", "scripted:tokens=3")
    await is_over.wait()
    await services.chat.run_engine.stop()
    assert (await ended(services, current_user, turn.conversation_id)).state is MessageState.DONE


async def test_an_answer_that_is_asked_for_once_more_is_given_back_and_not_taken_for_complete(
    services: Services, current_user: CurrentUser, owner_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Sequence[ChatMessage]] = []
    is_asked_again = asyncio.Event()

    async def silent_at_first(
        _model: str, messages: Sequence[ChatMessage], *_more: object
    ) -> AsyncGenerator[ChatEvent]:
        asked.append(messages)
        if len(asked) == 1:
            yield TextDelta("It goes on and")
            raise InvalidModelResponse("The line broke.")
        if len(asked) == 2:
            yield AnswerFinished(reason="stop")
            return
        is_asked_again.set()
        await asyncio.sleep(3600)

    monkeypatch.setattr(services.chat.run_engine._model, "chat", silent_at_first)
    turn = await services.chat.messages.send_message(current_user, None, "go", "scripted:tokens=3")
    broken = await ended(services, current_user, turn.conversation_id)
    await services.chat.messages.continue_answer(current_user, turn.conversation_id, broken.id)
    await is_asked_again.wait()
    await services.chat.run_engine.stop()
    assert ("queued", None, 0) in runs_of(owner_url, [current_user])
    page = await services.chat.conversations.open(current_user, turn.conversation_id)
    assert page.run is not None and page.messages[-1].state is MessageState.RUNNING
    await services.chat.messages.stop(current_user, turn.conversation_id)


async def test_a_claim_that_waits_behind_another_engine_keeps_nothing_from_being_given_back(
    services: Services, current_user: CurrentUser, owner_url: str
) -> None:
    turn = await services.chat.messages.send_message(current_user, None, "go", ENDLESS)
    async with following(services, current_user, turn) as answer:
        await grown(answer, 60)
        with psycopg.connect(owner_url) as frozen:
            frozen.execute("SELECT pg_advisory_xact_lock(hashtext('rxchat claim_runs'))")
            services.chat.run_engine._wake.set()
            await services.chat.run_engine.stop()
    assert runs_of(owner_url, [current_user]) == [("queued", None, 0)]
    await services.chat.messages.stop(current_user, turn.conversation_id)


async def test_a_database_that_hangs_keeps_nobody_from_ending(
    services: Services, current_user: CurrentUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn = await services.chat.messages.send_message(current_user, None, "go", ENDLESS)
    async with following(services, current_user, turn) as answer:
        await grown(answer, 60)

    async def hangs(*_arguments: Any) -> Any:
        await asyncio.sleep(3600)

    for name in ("append_chunks", "claim", "release", "renew_run_leases"):
        monkeypatch.setattr(run_rows, name, hangs)
    async with asyncio.timeout(60):
        await services.chat.run_engine.stop()
    assert services.chat.run_engine._jobs == {}


async def test_whoever_presses_stop_late_does_not_stop_the_next_answer(
    services: Services, current_user: CurrentUser
) -> None:
    turn = await services.chat.messages.send_message(current_user, None, "one", "scripted:tokens=3")
    first = await ended(services, current_user, turn.conversation_id)
    await services.chat.messages.send_message(current_user, turn.conversation_id, "two", ENDLESS)
    for late in (first.id, new_id()):
        assert await services.chat.messages.stop(current_user, turn.conversation_id, late) is False
    page = await services.chat.conversations.open(current_user, turn.conversation_id)
    assert page.run is not None
    assert await services.chat.messages.stop(current_user, turn.conversation_id, page.run.message_id)
    assert (await ended(services, current_user, turn.conversation_id)).state is MessageState.STOPPED


async def test_a_stop_in_the_moment_of_the_claim_is_heard(
    services: Services, current_user: CurrentUser, ollama: ScriptedOllama, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = run_rows.claim
    pressed: list[bool] = []
    is_in_place = asyncio.Event()

    async def stopped_meanwhile(*arguments: Any) -> list[ClaimedRun]:
        is_in_place.set()
        claimed = await claim(*arguments)
        for run in claimed:
            pressed.append(await services.chat.messages.stop(current_user, run.conversation_id))
            async with asyncio.timeout(60):
                while run.id not in services.chat.run_engine._unheard:
                    await asyncio.sleep(0.01)
        return claimed

    monkeypatch.setattr(run_rows, "claim", stopped_meanwhile)
    # The claim that is under way just now is not this one.
    await is_in_place.wait()
    turn = await services.chat.messages.send_message(current_user, None, "go", ENDLESS)
    message = await ended(services, current_user, turn.conversation_id)
    assert pressed == [True] and message.state is MessageState.STOPPED
    assert ollama.asked == []


async def test_an_answer_that_ends_in_a_way_nobody_foresaw_ends_and_keeps_its_words(
    services: Services, current_user: CurrentUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def broken(model: str, _messages: Sequence[ChatMessage], *_more: object) -> AsyncGenerator[ChatEvent]:
        asked.append(model)
        yield TextDelta("as far as this")
        raise LookupError("nobody thought of it")

    monkeypatch.setattr(services.chat.run_engine._model, "chat", broken)
    turn = await services.chat.messages.send_message(current_user, None, "go", "scripted:tokens=3")
    message = await ended(services, current_user, turn.conversation_id)
    assert (message.state, message.text) == (MessageState.FAILED, "as far as this")
    assert "An internal error" in message.error and "nobody thought" not in message.error
    assert asked == ["scripted:tokens=3"]


async def test_the_same_question_sent_to_two_processes_at_once_begins_one_conversation(
    services: Services, current_user: CurrentUser, owner_url: str
) -> None:
    for _ in range(5):
        question_id = new_id()
        turns = await asyncio.gather(
            *(
                services.chat.messages.send_message(
                    current_user, None, "hello", "scripted:tokens=1", question_id=question_id
                )
                for _ in range(4)
            )
        )
        assert len({turn.conversation_id for turn in turns}) == 1 and sum(turn.is_new for turn in turns) == 1
    with psycopg.connect(owner_url) as connection:
        count = connection.execute("SELECT count(*) FROM conversation WHERE owner_id = %s", (current_user.user_id,))
        assert count.fetchone() == (5,)


async def test_a_question_of_a_deleted_conversation_is_not_asked_behind_its_back(
    services: Services, current_user: CurrentUser
) -> None:
    question_id = new_id()
    turn = await services.chat.messages.send_message(
        current_user, None, "hello", "scripted:tokens=1", question_id=question_id
    )
    await ended(services, current_user, turn.conversation_id)
    await services.chat.conversations.remove(current_user, turn.conversation_id)
    with pytest.raises(Conflict, match="was deleted"):
        await services.chat.messages.send_message(
            current_user, None, "hello", "scripted:tokens=1", question_id=question_id
        )


async def test_while_storing_takes_long_others_are_told_only_what_is_stored() -> None:
    told: list[dict[str, Any]] = []

    class Recorded:
        async def publish(self, _channel: str, message: bytes) -> int:
            told.append(json.loads(message))
            return 1

    answer, is_stored = AnswerStream(new_id(), new_id()), [True]
    teller = StreamPublisher(Recorded(), answer, 1, lambda: is_stored[0])  # pyright: ignore[reportArgumentType]
    answer.add(ChunkKind.TEXT, "one ")
    await teller.publish()
    is_stored[0], answer.stored = False, {ChunkKind.TEXT: 4}
    answer.add(ChunkKind.TEXT, "two three ")
    await teller.publish()
    answer.stored[ChunkKind.TEXT] = 8
    await teller.publish()
    is_stored[0] = True
    await teller.publish()
    assert [(message["s"], message["t"]) for message in told] == [(0, "one "), (4, "two "), (8, "three ")]
