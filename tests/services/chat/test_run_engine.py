"""The run engine: answers that survive everything, on real Postgres with a scripted model host."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from rxchat.connections import Connections
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.errors import InvalidInput, NotFound
from rxchat.domain.ids import new_id
from rxchat.domain.messages import MessageState
from rxchat.domain.runs import LEASE_SECONDS
from rxchat.lifespan import running
from rxchat.services.app import container
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.factories import add_user
from tests.peers.scripted_model import counted
from tests.peers.scripted_ollama import ScriptedOllama
from tests.services.answering import ENDLESS, ended, following, grown, kill, stored

pytestmark = pytest.mark.anyio


async def test_an_answer_is_written_stored_and_replayable(services: Services, current_user: CurrentUser) -> None:
    turn = await services.chat.messages.send_message(
        current_user, None, "Hello, what is this?", "scripted:tokens=10,think=2"
    )
    message = await ended(services, current_user, turn.conversation_id)
    assert (message.state, message.text, message.reasoning) == (MessageState.DONE, "word " * 10, "thought 0 thought 1 ")
    assert message.tokens == 12 and message.tokens_per_second > 0
    history = await services.chat.conversations.history(current_user, turn.conversation_id)
    page = await services.chat.conversations.open(current_user, turn.conversation_id)
    assert history.title == page.title == "Hello, what is this?"
    assert [replace(item, created_at=None, versions=[]) for item in page.messages] == list(history.messages.values())
    assert history.seq == page.seq


async def test_engines_tell_each_other_which_hosts_are_writing_answers(
    services: Services, current_user: CurrentUser, ollama: ScriptedOllama
) -> None:
    told, note_heard = asyncio.Event(), services.platform.pg_listener._hearers["host"]
    services.platform.pg_listener._hearers["host"] = lambda heard: (
        told.set() if heard == ollama.host else note_heard(heard)
    )
    turn = await services.chat.messages.send_message(current_user, None, "go", ENDLESS)
    await asyncio.wait_for(told.wait(), 60)
    assert told.is_set()
    services.platform.pg_listener._hearers["host"] = note_heard
    await services.chat.messages.stop(current_user, turn.conversation_id)
    await ended(services, current_user, turn.conversation_id)


async def test_the_model_sees_the_conversation_so_far(
    services: Services, current_user: CurrentUser, ollama: ScriptedOllama
) -> None:
    turn = await services.chat.messages.send_message(current_user, None, "first", "scripted:tokens=1")
    await ended(services, current_user, turn.conversation_id)
    await services.chat.messages.send_message(current_user, turn.conversation_id, "second", "scripted:tokens=1")
    await ended(services, current_user, turn.conversation_id)
    assert ollama.asked[-1]["messages"] == [
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "word "},
        {"role": "user", "content": "second"},
    ]


async def test_followers_see_it_grow_whenever_they_come(services: Services, current_user: CurrentUser) -> None:
    turn = await services.chat.messages.send_message(current_user, None, "go", "scripted:tokens=40,rate=100")
    async with following(services, current_user, turn) as early, following(services, current_user, turn) as late:
        await grown(early, 50)
        assert not early.ended
        await grown(late, 200)
        while not late.ended:
            await late.changed(5)
        assert early.text == late.text == "word " * 40


async def test_stop_keeps_what_was_said_and_frees_the_model(
    services: Services, current_user: CurrentUser, ollama: ScriptedOllama
) -> None:
    turn = await services.chat.messages.send_message(current_user, None, "go", ENDLESS)
    async with following(services, current_user, turn) as answer:
        await grown(answer, 50)
        assert await services.chat.messages.stop(current_user, turn.conversation_id)
        while not answer.ended:
            await answer.changed(5)
    message = await ended(services, current_user, turn.conversation_id)
    assert message.state is MessageState.STOPPED and message.text.startswith("word " * 10) and message.error == ""
    async with asyncio.timeout(60):
        while ollama.generating:
            await asyncio.sleep(0.01)
    assert await services.chat.messages.stop(current_user, turn.conversation_id) is False


async def test_a_failed_answer_keeps_its_words_and_retry_writes_it_anew(
    services: Services, current_user: CurrentUser
) -> None:
    turn = await services.chat.messages.send_message(current_user, None, "go", "scripted:fault=cut,at=3")
    failed = await ended(services, current_user, turn.conversation_id)
    assert (failed.state, failed.text, failed.error_code) == (MessageState.FAILED, "word " * 3, "model_broke")
    await services.chat.messages.retry(current_user, turn.conversation_id, failed.id)
    again = await ended(services, current_user, turn.conversation_id)
    assert again.id == failed.id
    page = await services.chat.conversations.open(current_user, turn.conversation_id)
    assert len(page.messages) == 2


async def test_a_host_that_is_away_is_named_to_administrators_and_retry_works_when_it_is_back(
    services: Services, current_user: CurrentUser, ollama: ScriptedOllama
) -> None:
    await services.models.catalog.offer()
    await ollama.stop()
    turn = await services.chat.messages.send_message(current_user, None, "go", "scripted:tokens=20")
    failed = await ended(services, current_user, turn.conversation_id)
    assert (failed.state, failed.error_code) == (MessageState.FAILED, "model_host_away")
    assert "127.0.0.1" not in failed.error
    assert ollama.host in failed.error_detail
    await ollama.start()
    await services.chat.messages.retry(current_user, turn.conversation_id, failed.id)
    assert (await ended(services, current_user, turn.conversation_id)).text == "word " * 20


@pytest.mark.parametrize(
    ("name", "state", "length"), [("big-line", MessageState.FAILED, 200_000), ("nul", MessageState.DONE, None)]
)
async def test_what_a_model_may_say_is_cut_and_cleaned(
    services: Services, current_user: CurrentUser, name: str, state: MessageState, length: int | None
) -> None:
    turn = await services.chat.messages.send_message(current_user, None, "go", f"scripted:fault={name}")
    message = await ended(services, current_user, turn.conversation_id)
    assert message.state is state
    if length is None:
        assert "a\ufffdb\ufffdc\u202egnp.exe" in message.text
    else:
        assert len(message.text) == length and "stopped at 200,000 characters" in message.error


async def test_an_empty_answer_is_a_failure_that_says_so(services: Services, current_user: CurrentUser) -> None:
    turn = await services.chat.messages.send_message(current_user, None, "go", "scripted:tokens=0")
    message = await ended(services, current_user, turn.conversation_id)
    assert message.state is MessageState.FAILED and "empty answer" in message.error


@pytest.mark.parametrize(
    ("said", "reasoning", "text"),
    [
        ("<think>plan</think>42", "plan", "42"),
        # The template has opened the tag: what was shown as the answer was reasoning.
        ("Let me see...</think>42 is it", "Let me see...", "42 is it"),
        ("Write `</think>` there", "", "Write `</think>` there"),
        ("if a < b", "", "if a < b"),
    ],
)
async def test_reasoning_between_tags_is_no_part_of_the_answer(
    services: Services, current_user: CurrentUser, said: str, reasoning: str, text: str
) -> None:
    turn = await services.chat.messages.send_message(current_user, None, "go", f"scripted:echo=3,rate=40,text={said}")
    message = await ended(services, current_user, turn.conversation_id)
    assert (message.reasoning, message.text, message.state) == (reasoning, text, MessageState.DONE)


@pytest.mark.parametrize(
    ("model", "state", "words"),
    [
        ("scripted:tokens=5,ends=length", MessageState.INTERRUPTED, "cut off: the model reached its limit"),
        ("scripted:think=5,tokens=0", MessageState.FAILED, "stopped after its reasoning, without an answer"),
        ("scripted:think=5,tokens=1,text=\n\n", MessageState.FAILED, "stopped after its reasoning"),
        ("scripted:think=5,tokens=0,ends=length", MessageState.FAILED, "reached its limit while it was reasoning"),
    ],
)
async def test_an_answer_that_is_cut_off_or_missing_says_why(
    services: Services, current_user: CurrentUser, model: str, state: MessageState, words: str
) -> None:
    turn = await services.chat.messages.send_message(current_user, None, "go", model)
    message = await ended(services, current_user, turn.conversation_id)
    assert message.state is state and words in message.error
    assert message.reasoning.startswith("thought 0") is ("think" in model)


async def test_an_ordinary_restart_goes_on_from_the_saved_words(
    settings: Settings, at: Connections, owner_url: str, ollama: ScriptedOllama
) -> None:
    current_user = add_user(owner_url)
    async with running(settings, at) as first:
        turn = await first.chat.messages.send_message(
            current_user, None, "go", "scripted:count=1,tokens=60,rate=60,hold=30"
        )
        async with following(first, current_user, turn) as answer:
            await grown(answer, 50)
    async with running(settings, at) as second:
        message = await ended(second, current_user, turn.conversation_id)
    assert message.state is MessageState.DONE
    begun = ollama.asked[1]["messages"][-1]
    assert begun["role"] == "assistant" and message.text.startswith(begun["content"]) and len(begun["content"]) >= 50
    assert message.text == counted(1, 60)


async def test_another_engine_goes_on_when_one_dies_without_a_word(
    settings: Settings, at: Connections, owner_url: str, ollama: ScriptedOllama
) -> None:
    current_user = add_user(owner_url)
    async with running(settings, at) as dying:
        turn = await dying.chat.messages.send_message(current_user, None, "go", "scripted:tokens=100000,rate=50")
        async with following(dying, current_user, turn) as answer:
            await grown(answer, 100)
        await stored(dying, turn, 100)
        # As kill -9 would leave it: nobody renews, nobody writes, nobody says goodbye.
        page = await dying.chat.conversations.open(current_user, turn.conversation_id)
        assert page.run is not None
        kill(dying)
        async with running(settings, at) as heir:
            async with asyncio.timeout(LEASE_SECONDS + 60):
                while len(ollama.asked) < 2:
                    await asyncio.sleep(0.05)
            begun = ollama.asked[1]["messages"][-1]["content"]
            assert begun.startswith("word " * 10)
            async with heir.chat.answer_streams.following(current_user.user_id, page.run.id) as mirrored:
                await grown(mirrored, len(begun) + 20)
                assert mirrored.text.startswith(begun)
            await heir.chat.messages.stop(current_user, turn.conversation_id)
            message = await ended(heir, current_user, turn.conversation_id)
        assert message.state is MessageState.STOPPED and message.text.startswith(begun)


async def test_an_answer_streams_to_followers_in_another_process(
    settings: Settings, at: Connections, owner_url: str, ollama: ScriptedOllama
) -> None:
    current_user = add_user(owner_url)
    for redis_url in (at.redis_url, None):
        elsewhere_at = replace(at, redis_url=redis_url)
        async with running(settings, elsewhere_at) as writing, running(settings, elsewhere_at) as reading:
            await reading.chat.run_engine.stop()
            turn = await writing.chat.messages.send_message(
                current_user, None, "go", "scripted:tokens=60,rate=60,hold=30"
            )
            async with following(reading, current_user, turn) as answer:
                await grown(answer, 50)
                assert not answer.ended
                ollama.go_on()
                while not answer.ended:
                    await answer.changed(5)
            assert (await ended(reading, current_user, turn.conversation_id)).text == "word " * 60
            assert answer.text == ("word " * 60)[: len(answer.text)]


async def test_an_answer_that_kept_being_interrupted_is_given_up(
    services: Services, current_user: CurrentUser, owner_url: str
) -> None:
    import psycopg

    await services.chat.run_engine.stop()
    turn = await services.chat.messages.send_message(current_user, None, "go", "scripted:tokens=5")
    with psycopg.connect(owner_url) as connection:
        connection.execute("UPDATE run SET attempt = 3")
    await services.chat.run_engine.start()
    services.chat.run_engine._closing = False
    message = await ended(services, current_user, turn.conversation_id)
    assert message.state is MessageState.INTERRUPTED and "interrupted several times" in message.error


async def test_sending_the_same_message_again_asks_once(services: Services, current_user: CurrentUser) -> None:
    question_id = new_id()
    first = await services.chat.messages.send_message(
        current_user, None, "go", "scripted:tokens=1", question_id=question_id
    )
    again = await services.chat.messages.send_message(
        current_user, None, "go", "scripted:tokens=1", question_id=question_id
    )
    assert again.conversation_id == first.conversation_id and not again.is_new
    await ended(services, current_user, first.conversation_id)
    assert len((await services.chat.conversations.open(current_user, first.conversation_id)).messages) == 2


@pytest.mark.parametrize("text", ["", "   \n ", "x" * 100_001], ids=["empty", "blank", "too long"])
async def test_what_cannot_be_asked_is_refused_with_a_sentence(
    services: Services, current_user: CurrentUser, text: str
) -> None:
    with pytest.raises(InvalidInput):
        await services.chat.messages.send_message(current_user, None, text, "scripted:tokens=1")
    assert await services.chat.conversations.page(current_user) == []


async def test_nul_surrogates_and_directions_are_asked_as_they_can_be(
    services: Services, current_user: CurrentUser
) -> None:
    turn = await services.chat.messages.send_message(
        current_user, None, "a\x00b\ud800c \u202e שלום", "scripted:tokens=1"
    )
    page = await services.chat.conversations.open(current_user, turn.conversation_id)
    assert page.messages[0].text == "a\ufffdb\ufffdc \u202e שלום"
    await ended(services, current_user, turn.conversation_id)


async def test_a_strangers_conversation_is_not_found_by_any_verb(
    services: Services, current_user: CurrentUser, owner_url: str
) -> None:
    turn = await services.chat.messages.send_message(current_user, None, "mine", ENDLESS)
    answer_id = (await services.chat.conversations.open(current_user, turn.conversation_id)).messages[-1].id
    stranger = add_user(owner_url, "Mallory")
    theirs, chats, conversations = turn.conversation_id, services.chat.messages, services.chat.conversations
    for attempt in (
        conversations.open(stranger, theirs),
        conversations.news(stranger, theirs, 0),
        conversations.message(stranger, theirs, answer_id),
        conversations.history(stranger, theirs),
        conversations.rename(stranger, theirs, "x"),
        conversations.remove(stranger, theirs),
        conversations.restore(stranger, theirs),
        chats.send_message(stranger, theirs, "x", "m"),
        chats.retry(stranger, theirs, answer_id),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert await chats.stop(stranger, theirs) is False
    assert await conversations.page(stranger) == []
    run = (await conversations.open(current_user, theirs)).run
    assert run is not None
    await chats.stop(current_user, theirs)


async def test_a_stranger_who_follows_anothers_run_sees_nothing(
    settings: Settings, at: Connections, services: Services, current_user: CurrentUser, owner_url: str
) -> None:
    turn = await services.chat.messages.send_message(current_user, None, "mine", ENDLESS)
    stranger = add_user(owner_url, "Mallory")
    run = (await services.chat.conversations.open(current_user, turn.conversation_id)).run
    assert run is not None
    async with services.chat.answer_streams.following(current_user.user_id, run.id) as own:
        await grown(own, 20)
    async with services.chat.answer_streams.following(stranger.user_id, run.id) as answer:
        async with asyncio.timeout(60):
            while not answer.ended:
                await answer.changed(1)
        assert answer.text == ""
    assert container.get_services() is services
    await services.chat.messages.stop(current_user, turn.conversation_id)
