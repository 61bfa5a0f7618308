"""What must be atomic in the database: events at their place, the first administrator, audit."""

from __future__ import annotations

import asyncio

import psycopg
import pytest
from sqlalchemy import text

from rxchat.db.access import audit_log
from rxchat.db.accounts import accounts
from rxchat.db.chat import conversations, turn_queries
from rxchat.db.platform.database import Database
from rxchat.domain.conversation_events import ConversationCreated, ConversationRenamed
from rxchat.domain.email_addresses import email_key
from rxchat.domain.errors import NotAllowed, StaleConversation
from rxchat.domain.ids import new_id
from rxchat.services.app.container import Services
from tests.factories import add_first_user

pytestmark = pytest.mark.anyio

CREATED = ConversationCreated(title="t", model="m")


async def a_conversation(database: Database, owner):
    conversation_id = new_id()
    async with database.begin(owner) as session:
        await turn_queries.create_conversation(session, owner, conversation_id, new_id(), CREATED)
        await conversations.append_events(session, owner, conversation_id, 0, [CREATED])
    return conversation_id


async def test_an_event_is_appended_at_its_expected_place(database: Database) -> None:
    owner = await add_first_user(database)
    conversation_id = await a_conversation(database, owner)
    async with database.begin(owner) as session:
        seq = await conversations.append_events(session, owner, conversation_id, 1, [ConversationRenamed(title="new")])
        row = await conversations.get_owned(session, owner, conversation_id)
        events = await conversations.events_after(session, owner, conversation_id)
    assert (seq, row and row.title, [number for number, _ in events]) == (2, "new", [1, 2])


async def test_a_stale_writer_is_refused_and_nothing_is_written(database: Database) -> None:
    owner = await add_first_user(database)
    conversation_id = await a_conversation(database, owner)
    with pytest.raises(StaleConversation):
        async with database.begin(owner) as session:
            await conversations.append_events(session, owner, conversation_id, 0, [ConversationRenamed(title="late")])
    async with database.begin(owner) as session:
        row = await conversations.get_owned(session, owner, conversation_id)
    assert row is not None and row.title == "t" and row.seq == 1


async def test_nobody_appends_to_a_strangers_conversation(database: Database) -> None:
    owner = await add_first_user(database)
    conversation_id = await a_conversation(database, owner)
    with pytest.raises(NotAllowed):
        async with database.begin(new_id()) as session:
            await conversations.append_events(session, owner, conversation_id, 1, [ConversationRenamed(title="mine")])


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
        await audit_log.append(session, owner, "signed_in", "127.0.0.1", "c", detail=1)
        row = (await session.execute(text("SELECT action, data FROM audit_event"))).one()
    assert (row.action, row.data) == ("signed_in", {"detail": 1})
    with psycopg.connect(owner_url) as connection:
        assert connection.execute("SELECT count(*) FROM audit_event WHERE action = 'tested'").fetchone() == (0,)


def test_postgres_compares_addresses_as_python_does(owner_url: str) -> None:
    """Of addresses in the spelling in which they are stored, and of what is no address."""
    emails = [
        "Ann.Bo+X@exämple.org",
        "\u0130ris@a.test",
        "jÖRG@a.test",
        "straße@faß.de",
        "A@[127.0.0.1]",
        "ada",
        "",
        "用户@例え.テスト",
    ]
    with psycopg.connect(owner_url) as connection:
        found = connection.execute(
            "SELECT array_agg(email_key(email)) FROM unnest(%s::text[]) AS email", (emails,)
        ).fetchone()
    assert found
    assert found[0] == [email_key(email) for email in emails]
