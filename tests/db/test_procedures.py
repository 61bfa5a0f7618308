"""What must be atomic in the database: events at their place, leases, the first administrator, audit."""

from __future__ import annotations

import asyncio

import psycopg
import pytest
from sqlalchemy import text

from rxchat.db import accounts, audit, conversations, runs
from rxchat.db.database import Database
from rxchat.domain.conversations import ConversationCreated, ConversationRenamed
from rxchat.domain.errors import NotAllowed, StaleConversation
from rxchat.domain.ids import new_id
from rxchat.domain.runs import ChunkKind, RunChunk, RunState
from rxchat.services.graph import Services
from rxchat.tables import Run
from tests.factories import add_first_user, add_viewer

pytestmark = pytest.mark.anyio

CREATED = ConversationCreated(title="t", model="m")


async def a_conversation(database: Database, owner):
    conversation_id = new_id()
    async with database.begin(owner) as session:
        await conversations.add(session, owner, conversation_id)
        await conversations.append_event(session, owner, conversation_id, 0, CREATED)
    return conversation_id


async def a_queued_run(database: Database, owner) -> Run:
    conversation_id = await a_conversation(database, owner)
    run = Run(owner_id=owner, conversation_id=conversation_id, message_id=new_id(), model="m")
    async with database.begin(owner) as session:
        await runs.add(session, run)
    return run


async def test_an_event_is_appended_at_its_expected_place(database: Database) -> None:
    owner = await add_first_user(database)
    conversation_id = await a_conversation(database, owner)
    async with database.begin(owner) as session:
        seq = await conversations.append_event(session, owner, conversation_id, 1, ConversationRenamed(title="new"))
        row = await conversations.get_owned(session, owner, conversation_id)
        events = await conversations.events_of(session, owner, conversation_id)
    assert (seq, row and row.title, [number for number, _ in events]) == (2, "new", [1, 2])


async def test_a_stale_writer_is_refused_and_nothing_is_written(database: Database) -> None:
    owner = await add_first_user(database)
    conversation_id = await a_conversation(database, owner)
    with pytest.raises(StaleConversation):
        async with database.begin(owner) as session:
            await conversations.append_event(session, owner, conversation_id, 0, ConversationRenamed(title="late"))
    async with database.begin(owner) as session:
        row = await conversations.get_owned(session, owner, conversation_id)
    assert row is not None and row.title == "t" and row.seq == 1


async def test_nobody_appends_to_a_strangers_conversation(database: Database) -> None:
    owner = await add_first_user(database)
    conversation_id = await a_conversation(database, owner)
    with pytest.raises(NotAllowed):
        async with database.begin(new_id()) as session:
            await conversations.append_event(session, owner, conversation_id, 1, ConversationRenamed(title="mine"))


async def test_a_run_is_claimed_once_and_again_only_when_its_lease_is_lost(database: Database) -> None:
    owner = await add_first_user(database)
    run = await a_queued_run(database, owner)
    first, second = new_id(), new_id()
    async with database.begin(None) as session:
        claimed = await runs.claim(session, first, lease_seconds=60)
        assert claimed is not None and (claimed.id, claimed.owner_id, claimed.attempt) == (run.id, owner, 1)
        assert await runs.claim(session, second, lease_seconds=60) is None
        assert await runs.renew_leases(session, first, [run.id], lease_seconds=-1) == {run.id: False}
        taken_over = await runs.claim(session, second, lease_seconds=60)
        assert taken_over is not None and taken_over.attempt == 2
        assert await runs.renew_leases(session, first, [run.id], lease_seconds=60) == {}


async def test_an_engine_that_lost_its_lease_writes_nothing(database: Database) -> None:
    owner = await add_first_user(database)
    run = await a_queued_run(database, owner)
    holder, loser = new_id(), new_id()
    async with database.begin(None) as session:
        await runs.claim(session, holder, lease_seconds=60)
    chunk = RunChunk(ChunkKind.TEXT, 0, "hello")
    async with database.begin(owner) as session:
        assert await runs.append_chunk(session, owner, run.id, loser, 1, chunk) is False
        assert await runs.append_chunk(session, owner, run.id, holder, 1, chunk) is True
        assert await runs.chunks_of(session, owner, run.id) == [(1, chunk)]
        # Sent again, because the answer to the first time got lost: it may hold more by then.
        more = RunChunk(ChunkKind.TEXT, 0, "hello again")
        assert await runs.append_chunk(session, owner, run.id, holder, 1, more) is True
        assert await runs.chunks_of(session, owner, run.id) == [(1, more)]
        assert await runs.finish(session, owner, run.id, loser, RunState.DONE) is False
        assert await runs.finish(session, owner, run.id, holder, RunState.DONE) is True
        assert await runs.chunks_of(session, owner, run.id) == []


async def test_a_stop_reaches_the_engine_with_its_next_renewal(database: Database) -> None:
    owner = await add_first_user(database)
    run = await a_queued_run(database, owner)
    engine = new_id()
    async with database.begin(None) as session:
        await runs.claim(session, engine, lease_seconds=60)
    async with database.begin(new_id()) as session:
        assert await runs.request_stop(session, owner, run.conversation_id) is None
    async with database.begin(owner) as session:
        assert await runs.request_stop(session, owner, run.conversation_id) == run.id
    async with database.begin(None) as session:
        assert await runs.renew_leases(session, engine, [run.id], lease_seconds=60) == {run.id: True}


async def test_engines_that_ask_at_once_never_get_the_same_run(
    services: Services, database_url: str, owner_url: str
) -> None:
    await services.engine.stop()
    viewer = add_viewer(owner_url)
    database = Database(database_url, pool_size=8)
    wanted = {(await a_queued_run(database, viewer.user_id)).id for _ in range(12)}

    async def claim_all(engine) -> list:
        claimed = []
        while True:
            async with database.begin(None) as session:
                run = await runs.claim(session, engine, lease_seconds=60)
            if run is None:
                return claimed
            claimed.append(run.id)

    lists = await asyncio.gather(*(claim_all(new_id()) for _ in range(6)))
    await database.aclose()
    claimed = [run for found in lists for run in found]
    assert len(claimed) == len(set(claimed)) and set(claimed) == wanted


async def test_fifty_at_once_make_exactly_one_first_administrator(services: Services, database_url: str) -> None:
    assert services
    database = Database(database_url, pool_size=20)

    async def attempt(number: int) -> bool:
        async with database.begin(None) as session:
            return await accounts.create_first_administrator(
                session, new_id(), email=f"{number}@example.org", name="x", password_hash="x"
            )

    created = await asyncio.gather(*(attempt(number) for number in range(50)))
    await database.aclose()
    assert created.count(True) == 1


async def test_audit_is_written_by_its_procedure_with_the_change_or_not_at_all(
    database: Database, owner_url: str
) -> None:
    owner = await add_first_user(database)
    async with database.begin(owner) as session:
        await audit.append(session, owner, "tested", "127.0.0.1", "c", detail=1)
        row = (await session.execute(text("SELECT action, data FROM audit_event"))).one()
    assert (row.action, row.data) == ("tested", {"detail": 1})
    with psycopg.connect(owner_url) as connection:
        assert connection.execute("SELECT count(*) FROM audit_event WHERE action = 'tested'").fetchone() == (0,)
