"""Runs in the database: whose turn it is, who may write, and what is stored of an answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from uuid import UUID

import pytest

from rxchat.db.chat import conversations, runs, turn_queries
from rxchat.db.platform.database import Database
from rxchat.domain.chat import Role
from rxchat.domain.conversation_events import ConversationCreated
from rxchat.domain.ids import new_id
from rxchat.domain.runs import ChunkKind, ClaimedRun, PartialAnswer, PendingChunk, RunChunk, RunLimits, RunState
from rxchat.services.app.container import Services
from rxchat.tables import Message, Run
from tests.factories import add_user

pytestmark = [pytest.mark.anyio, pytest.mark.without_engine]

ANY = RunLimits(at_once=100, per_person=100)


@pytest.fixture
async def database(services: Services, database_url: str, past_grace: None) -> AsyncGenerator[Database]:
    """The database without an engine that would take the runs away."""
    await services.chat.run_engine.stop()
    found = Database(database_url, pool_size=8)
    yield found
    await found.aclose()


async def a_queued_run(database: Database, owner: UUID, *, said: str = "") -> Run:
    conversation_id = new_id()
    run = Run(owner_id=owner, conversation_id=conversation_id, message_id=new_id(), model="m")
    async with database.begin(owner) as session:
        created = ConversationCreated(title="t", model="m")
        await turn_queries.create_conversation(session, owner, conversation_id, new_id(), created)
        await conversations.append_events(session, owner, conversation_id, 0, [created], [run])
        session.add(
            Message(
                owner_id=owner,
                id=run.message_id,
                conversation_id=conversation_id,
                parent_id=conversation_id,
                seq=2,
                role=Role.ASSISTANT,
                text=said,
            )
        )
    return run


async def claimed_by(
    database: Database,
    engine: UUID,
    *,
    lease: float = 60,
    room: int = 1,
    limits: RunLimits = ANY,
    mine: Sequence[UUID] = (),
) -> list[ClaimedRun]:
    async with database.begin(None) as session:
        return await runs.claim(session, engine, lease, room, limits, mine)


async def appended(database: Database, engine: UUID, pieces: Sequence[PendingChunk]) -> set[UUID]:
    async with database.begin(None) as session:
        return await runs.append_chunks(session, engine, pieces)


def piece(run: ClaimedRun, seq: int, start: int, text: str, kind: ChunkKind = ChunkKind.TEXT) -> PendingChunk:
    return PendingChunk(run.id, run.fence, seq, RunChunk(kind, start, text))


async def test_a_run_is_claimed_once_and_again_only_when_its_lease_is_lost(database: Database, owner_url: str) -> None:
    owner = add_user(owner_url).user_id
    run = await a_queued_run(database, owner)
    first, second = new_id(), new_id()
    (claimed,) = await claimed_by(database, first)
    assert (claimed.id, claimed.owner_id, claimed.attempt, claimed.fence) == (run.id, owner, 1, 1)
    assert await claimed_by(database, second) == []
    async with database.begin(None) as session:
        assert await runs.renew_run_leases(session, first, [run.id], lease_seconds=-1) == {run.id: False}
    (taken_over,) = await claimed_by(database, second)
    assert (taken_over.attempt, taken_over.fence) == (2, 2)
    async with database.begin(None) as session:
        assert await runs.renew_run_leases(session, first, [run.id], lease_seconds=60) == {}


async def test_an_engine_that_lost_its_lease_writes_nothing_and_ends_nothing(
    database: Database, owner_url: str
) -> None:
    owner = add_user(owner_url).user_id
    await a_queued_run(database, owner)
    stale, heir = new_id(), new_id()
    (lost,) = await claimed_by(database, stale, lease=-1)
    assert await appended(database, stale, [piece(lost, 1, 0, "hello")]) == set()
    (run,) = await claimed_by(database, heir)
    assert await appended(database, stale, [piece(lost, 2, 5, " from the grave")]) == {run.id}
    assert await appended(database, heir, [piece(run, 2, 5, " there")]) == set()
    async with database.begin(owner) as session:
        assert await runs.partial_answer(session, owner, run.id) == PartialAnswer("hello there", "", 2)
        assert await runs.finish(session, lost, stale, RunState.DONE) is False
        assert await runs.finish(session, run, heir, RunState.DONE) is True
        assert await runs.chunks_after(session, owner, run.id) == []


async def test_an_engine_that_gets_its_own_run_again_writes_under_the_new_fence_alone(
    database: Database, owner_url: str
) -> None:
    owner = add_user(owner_url).user_id
    await a_queued_run(database, owner)
    engine = new_id()
    (before,) = await claimed_by(database, engine, lease=-1)
    (after,) = await claimed_by(database, engine)
    assert await appended(database, engine, [piece(before, 1, 0, "old")]) == {before.id}
    assert await appended(database, engine, [piece(after, 1, 0, "new")]) == set()


async def test_pieces_of_many_answers_are_stored_in_one_go_and_sent_again_without_harm(
    database: Database, owner_url: str
) -> None:
    owner = add_user(owner_url).user_id
    for _ in range(3):
        await a_queued_run(database, owner)
    engine, other = new_id(), new_id()
    ours = await claimed_by(database, engine, room=2)
    (theirs,) = await claimed_by(database, other)
    pieces = [piece(run, seq, 0, "a", kind) for run in ours for seq, kind in enumerate(ChunkKind, start=1)]
    assert await appended(database, engine, [*pieces, piece(theirs, 1, 0, "no")]) == {theirs.id}
    # Sent again, because the answer to the first time got lost: it may hold more by then.
    assert await appended(database, engine, [piece(ours[0], 1, 0, "a and b")]) == set()
    async with database.begin(owner) as session:
        assert await runs.partial_answer(session, owner, ours[0].id) == PartialAnswer("a and b", "a", 2)
        assert await runs.partial_answer(session, owner, ours[1].id) == PartialAnswer("a", "a", 2)
        assert await runs.partial_answer(session, owner, theirs.id) == PartialAnswer()


async def test_a_run_that_gets_on_counts_its_attempts_anew(database: Database, owner_url: str) -> None:
    owner = add_user(owner_url).user_id
    await a_queued_run(database, owner)
    engine = new_id()
    for attempt in (1, 2, 3):
        (run,) = await claimed_by(database, engine, lease=-1)
        assert run.attempt == attempt
    await appended(database, engine, [piece(run, 1, 0, "at last")])
    (run,) = await claimed_by(database, engine, lease=-1)
    assert run.attempt == 2


async def test_an_answer_that_goes_on_begins_with_what_its_message_said(database: Database, owner_url: str) -> None:
    owner = add_user(owner_url).user_id
    await a_queued_run(database, owner, said="Once upon")
    engine = new_id()
    (run,) = await claimed_by(database, engine)
    await appended(database, engine, [piece(run, 1, 9, " a time")])
    async with database.begin(owner) as session:
        assert await runs.partial_answer(session, owner, run.id) == PartialAnswer("Once upon a time", "", 1)


async def test_a_stop_reaches_the_engine_with_its_next_renewal(database: Database, owner_url: str) -> None:
    owner = add_user(owner_url).user_id
    run = await a_queued_run(database, owner)
    engine = new_id()
    await claimed_by(database, engine)
    async with database.begin(new_id()) as session:
        await runs.request_stop(session, owner, run.id)
    async with database.begin(None) as session:
        assert await runs.renew_run_leases(session, engine, [run.id], lease_seconds=60) == {run.id: False}
    async with database.begin(owner) as session:
        await runs.request_stop(session, owner, run.id)
    async with database.begin(None) as session:
        assert await runs.renew_run_leases(session, engine, [run.id], lease_seconds=60) == {run.id: True}


async def test_everybodys_first_question_comes_before_anybodys_second(database: Database, owner_url: str) -> None:
    eager = add_user(owner_url).user_id
    theirs = [(await a_queued_run(database, eager)).id for _ in range(3)]
    late = add_user(owner_url).user_id
    last = (await a_queued_run(database, late)).id
    assert [await runs.queue_position(database.reading(eager), run) for run in theirs] == [1, 3, 4]
    # Users do not see the positions of others.
    assert await runs.queue_position(database.reading(eager), last) == 0
    assert await runs.queue_position(database.reading(late), last) == 2
    order = [(await claimed_by(database, new_id()))[0].id for _ in range(4)]
    assert order == [theirs[0], last, theirs[1], theirs[2]]


async def test_no_more_answers_are_written_than_the_limits_let(database: Database, owner_url: str) -> None:
    first = add_user(owner_url).user_id
    for _ in range(4):
        await a_queued_run(database, first)
    second = add_user(owner_url).user_id
    for _ in range(4):
        await a_queued_run(database, second)
    limits = RunLimits(at_once=5, per_person=3)
    claimed = await claimed_by(database, new_id(), room=100, limits=limits)
    assert sorted([run.owner_id for run in claimed].count(owner) for owner in (first, second)) == [2, 3]
    assert await claimed_by(database, new_id(), room=100, limits=limits) == []
    assert len(await claimed_by(database, new_id(), room=100, limits=RunLimits(at_once=100, per_person=3))) == 1


async def test_an_answer_that_was_begun_is_taken_up_before_all_others(database: Database, owner_url: str) -> None:
    owner = add_user(owner_url).user_id
    begun = await a_queued_run(database, owner)
    engine = new_id()
    assert [run.id for run in await claimed_by(database, engine)] == [begun.id]
    waiting = await a_queued_run(database, add_user(owner_url).user_id)
    async with database.autocommit() as session:
        assert await runs.release(session, engine) == 1
        assert await runs.release(session, engine) == 0
    order = [(await claimed_by(database, new_id()))[0].id for _ in range(2)]
    assert order == [begun.id, waiting.id]


async def test_engines_that_ask_at_once_never_get_the_same_run(database: Database, owner_url: str) -> None:
    owner = add_user(owner_url).user_id
    wanted = {(await a_queued_run(database, owner)).id for _ in range(12)}

    async def claim_all(engine: UUID) -> list[UUID]:
        claimed: list[UUID] = []
        while found := await claimed_by(database, engine, room=2):
            claimed += [run.id for run in found]
        return claimed

    lists = await asyncio.gather(*(claim_all(new_id()) for _ in range(6)))
    claimed = [run for found in lists for run in found]
    assert len(claimed) == len(set(claimed)) and set(claimed) == wanted


async def test_an_engine_never_takes_from_itself_what_it_works_on(database: Database, owner_url: str) -> None:
    run = await a_queued_run(database, add_user(owner_url).user_id)
    engine = new_id()
    await claimed_by(database, engine, lease=-60)
    assert await claimed_by(database, engine, mine=[run.id]) == []
    async with database.autocommit() as session:
        assert await runs.renew_run_leases(session, engine, [run.id], 60) == {run.id: False}
    assert await claimed_by(database, new_id()) == []


async def test_whoever_takes_up_a_run_learns_that_nobody_wants_it_any_more(database: Database, owner_url: str) -> None:
    owner = add_user(owner_url).user_id
    run = await a_queued_run(database, owner)
    (first,) = await claimed_by(database, new_id(), lease=-60)
    assert not first.is_unwanted
    async with database.begin(owner) as session:
        await runs.request_stop(session, owner, run.id)
    (second,) = await claimed_by(database, new_id())
    assert second.id == run.id and second.is_unwanted


async def test_only_the_runs_of_that_engine_are_given_back(database: Database, owner_url: str) -> None:
    owner = add_user(owner_url).user_id
    mine, theirs = await a_queued_run(database, owner), await a_queued_run(database, owner)
    leaving, staying = new_id(), new_id()
    assert [run.id for run in await claimed_by(database, leaving)] == [mine.id]
    assert [run.id for run in await claimed_by(database, staying)] == [theirs.id]
    async with database.autocommit() as session:
        assert await runs.release(session, leaving) == 1
        assert await runs.renew_run_leases(session, staying, [theirs.id], 60) == {theirs.id: False}
    (again,) = await claimed_by(database, staying)
    assert (again.id, again.attempt, again.fence) == (mine.id, 1, 2)
