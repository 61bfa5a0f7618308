"""Followers of runs, when engines and processes end."""

from __future__ import annotations

import asyncio

import pytest

from rxchat.connections import Connections
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.errors import NotFound
from rxchat.domain.ids import new_id
from rxchat.domain.run_events import RunEnded, RunPiece, RunProgress
from rxchat.domain.runs import ChunkKind, RunState
from rxchat.lifespan import running
from rxchat.services.app.container import Services
from rxchat.services.chat.messages import Turn
from rxchat.settings import Settings
from tests.factories import add_user
from tests.peers.scripted_model import counted
from tests.services.answering import ENDLESS, kill

pytestmark = pytest.mark.anyio


async def test_a_follower_reads_one_answer_when_its_engine_and_its_process_die(
    settings: Settings, at: Connections, owner_url: str
) -> None:
    current_user, text, cursor = add_user(owner_url), "", ""
    async with running(settings, at) as dying:
        turn = await dying.chat.messages.send_message(
            current_user, None, "count", "scripted:count=1,tokens=150,rate=100,hold=60"
        )
        found = await dying.chat.run_follower.run_of(current_user, turn.conversation_id, turn.question_id)
        assert found is not None
        run = await dying.chat.run_follower.find(current_user, found[0])
        async for event in dying.chat.run_follower.follow(current_user, run):
            if isinstance(event, RunPiece):
                text, cursor = text[: event.offset] + event.text, event.cursor
            if text == counted(1, 60):
                break
        kill(dying)
        async with running(settings, at) as heir, asyncio.timeout(60):
            run = await heir.chat.run_follower.find(current_user, run.id)
            offsets: list[int] = []
            async for event in heir.chat.run_follower.follow(current_user, run, cursor):
                if isinstance(event, RunPiece):
                    offsets.append(event.offset)
                    text = text[: event.offset] + event.text
                elif isinstance(event, RunEnded):
                    assert event.run.state is RunState.DONE
    assert text == counted(1, 150)
    # Nothing was sent again from its start.
    assert min(offsets) > 0


async def until_first_word(services: Services, current_user: CurrentUser, turn: Turn) -> None:
    follower = services.chat.run_follower
    found = await follower.run_of(current_user, turn.conversation_id, turn.question_id)
    assert found is not None
    async for event in follower.follow(current_user, await follower.find(current_user, found[0])):
        if isinstance(event, RunPiece):
            return


async def test_a_run_that_waits_says_at_which_position(settings: Settings, at: Connections, owner_url: str) -> None:
    few = settings.model_copy(update={"answers_per_user": 1})
    current_user = add_user(owner_url)
    async with running(few, at) as services, asyncio.timeout(60):
        chat = services.chat
        first = await chat.messages.send_message(current_user, None, "first", ENDLESS)
        await until_first_word(services, current_user, first)
        second = await chat.messages.send_message(current_user, None, "second", "scripted:tokens=3")
        found = await chat.run_follower.run_of(current_user, second.conversation_id, second.question_id)
        assert found is not None
        run = await chat.run_follower.find(current_user, found[0])
        states: list[tuple[RunState, int]] = []
        text = ""
        async for event in chat.run_follower.follow(current_user, run):
            if isinstance(event, RunProgress):
                states.append((event.state, event.position))
                if event.state is RunState.QUEUED:
                    await chat.messages.stop(current_user, first.conversation_id)
            elif isinstance(event, RunPiece) and event.kind is ChunkKind.TEXT:
                text += event.text
        assert states[0] == (RunState.QUEUED, 1) and text == "word " * 3


async def test_runs_of_others_and_of_nobody_are_not_found(
    services: Services, current_user: CurrentUser, owner_url: str
) -> None:
    turn = await services.chat.messages.send_message(current_user, None, "Hi", "scripted:tokens=3")
    found = await services.chat.run_follower.run_of(current_user, turn.conversation_id, turn.question_id)
    assert found is not None
    stranger = add_user(owner_url, "Bea")
    assert await services.chat.run_follower.run_of(stranger, turn.conversation_id, turn.question_id) is None
    for user, run_id in ((stranger, found[0]), (current_user, new_id())):
        with pytest.raises(NotFound):
            await services.chat.run_follower.find(user, run_id)
        with pytest.raises(NotFound):
            await services.chat.run_follower.stop(user, run_id)
