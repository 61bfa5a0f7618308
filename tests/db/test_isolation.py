"""Row-level security, table by table and verb by verb: a stranger sees nothing and changes nothing.

Walks the tables of the code, so that a new one fails until it has its policy and its row here.
"""

from __future__ import annotations

from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from rxchat.domain.ids import new_id
from rxchat.tables import metadata
from tests.factories import add_viewer

TABLES = sorted(metadata.tables)
OWNER_COLUMN = {"user_account": "id", "user_session": "user_id", "identity": "user_id", "audit_event": "actor_id"}


@pytest.fixture
def people(owner_url: str):
    """Two people; the first has a row in every table."""
    victim, stranger = add_viewer(owner_url, "Victim"), add_viewer(owner_url, "Stranger")
    owner, conversation, run = victim.user_id, new_id(), new_id()
    with psycopg.connect(owner_url) as connection:
        for statement, values in (
            ("INSERT INTO user_session (user_id, id, expires_at) VALUES (%s, %s, now() + '1 day')", (owner, new_id())),
            (
                "INSERT INTO identity (user_id, id, issuer, subject) VALUES (%s, %s, 'i', %s)",
                (owner, new_id(), str(owner)),
            ),
            (
                "INSERT INTO conversation (owner_id, id, title, model, seq) VALUES (%s, %s, 't', 'm', 1)",
                (owner, conversation),
            ),
            (
                "INSERT INTO conversation_event (owner_id, conversation_id, seq, type, data, actor_id)"
                " VALUES (%s, %s, 1, 'x', '{}', %s)",
                (owner, conversation, owner),
            ),
            (
                "INSERT INTO message (owner_id, id, conversation_id, seq, role, text, reasoning, model, state, error_code,"
                " error, tokens, seconds, tokens_per_second) VALUES (%s, %s, %s, 1, 'user', 't', '', '', 'done', '', '', 0, 0, 0)",
                (owner, new_id(), conversation),
            ),
            (
                "INSERT INTO run (owner_id, id, conversation_id, message_id, model, state, attempt, correlation_id)"
                " VALUES (%s, %s, %s, %s, 'm', 'done', 1, '')",
                (owner, run, conversation, new_id()),
            ),
            (
                "INSERT INTO run_chunk (owner_id, run_id, seq, kind, start, text) VALUES (%s, %s, 1, 'text', 0, 't')",
                (owner, run),
            ),
            (
                "INSERT INTO audit_event (id, actor_id, action, address, correlation_id, data) VALUES (%s, %s, 'a', '', '', '{}')",
                (new_id(), owner),
            ),
        ):
            connection.execute(statement, values)  # pyright: ignore[reportArgumentType]
    yield victim.user_id, stranger.user_id
    with psycopg.connect(owner_url) as connection:
        connection.execute("DELETE FROM audit_event")
        connection.execute("DELETE FROM user_account")


def acting(database_url: str, user_id: UUID | None) -> psycopg.Connection:
    connection = psycopg.connect(database_url)
    connection.execute("SET ROLE rxchat_app")
    if user_id is not None:
        connection.execute("SELECT set_config('rxchat.user_id', %s, true)", (str(user_id),))
    return connection


def rows_seen(connection: psycopg.Connection, table: str) -> int:
    query = sql.SQL("SELECT count(*) FROM {} WHERE {} IS NOT NULL").format(
        sql.Identifier(table), sql.Identifier(OWNER_COLUMN.get(table, "owner_id"))
    )
    counted = connection.execute(query).fetchone()
    assert counted
    return counted[0]


@pytest.mark.parametrize("table", TABLES)
def test_the_table_forces_row_level_security(owner_url: str, table: str) -> None:
    with psycopg.connect(owner_url) as connection:
        row = connection.execute(
            "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE relname = %s AND relkind = 'r'", (table,)
        ).fetchone()
    assert row == (True, True)


@pytest.mark.parametrize("table", TABLES)
def test_a_row_is_seen_by_its_owner_and_by_nobody_else(database_url: str, people, table: str) -> None:
    victim, stranger = people
    with acting(database_url, victim) as connection:
        assert rows_seen(connection, table) == 1
    with acting(database_url, stranger) as connection:
        assert rows_seen(connection, table) == (1 if table == "user_account" else 0)
        found = connection.execute(
            sql.SQL("SELECT 1 FROM {} WHERE {} = %s").format(
                sql.Identifier(table), sql.Identifier(OWNER_COLUMN.get(table, "owner_id"))
            ),
            (victim,),
        ).fetchall()
        assert found == []
    with acting(database_url, None) as connection:
        assert rows_seen(connection, table) == 0


@pytest.mark.parametrize("verb", ["UPDATE {table} SET {owner} = {owner}", "DELETE FROM {table}"])
@pytest.mark.parametrize("table", TABLES)
def test_a_stranger_changes_nothing(database_url: str, people, table: str, verb: str) -> None:
    victim, stranger = people
    owner = sql.Identifier(OWNER_COLUMN.get(table, "owner_id"))
    statement = sql.SQL(verb + " WHERE {owner} = %s").format(table=sql.Identifier(table), owner=owner)  # pyright: ignore[reportArgumentType]
    with acting(database_url, stranger) as connection:
        try:
            assert connection.execute(statement, (victim,)).rowcount == 0
        except psycopg.errors.InsufficientPrivilege:
            connection.rollback()


@pytest.mark.parametrize("table", TABLES)
def test_a_stranger_adds_nothing_in_somebodys_name(database_url: str, people, table: str) -> None:
    victim, stranger = people
    columns = [column.name for column in metadata.tables[table].columns]
    owner = OWNER_COLUMN.get(table, "owner_id")
    # A copy of the victim's own row, with whatever values; the policy (or a missing grant) must stop it first.
    statement = sql.SQL("INSERT INTO {} ({}) SELECT {} FROM (SELECT %s::uuid AS owner) AS given").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(", ").join(
            sql.SQL("given.owner") if column == owner else sql.SQL(filler(table, column))  # pyright: ignore[reportArgumentType]
            for column in columns
        ),
    )
    with acting(database_url, stranger) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement, (victim,))


def filler(table: str, column: str) -> str:
    """Return a value of the column's type."""
    kind = metadata.tables[table].columns[column].type.__class__.__name__
    values = {"Uuid": "gen_random_uuid()", "DateTime": "now()", "Integer": "7", "Float": "0", "JSONB": "'{}'::jsonb"}
    return values.get(kind, "'x'")


def test_a_pooled_connection_forgets_who_it_acted_for(database_url: str, people) -> None:
    victim, _ = people
    with acting(database_url, victim) as connection:
        connection.commit()
        assert rows_seen(connection, "conversation") == 0


@pytest.mark.parametrize("table", ["audit_event", "conversation_event"])
def test_what_only_procedures_may_write_cannot_be_written(database_url: str, people, table: str) -> None:
    victim, _ = people
    for statement in ("INSERT INTO {} DEFAULT VALUES", "DELETE FROM {}"):
        with acting(database_url, victim) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(sql.SQL(statement).format(sql.Identifier(table)))  # pyright: ignore[reportArgumentType]


def test_the_runtime_login_owns_nothing_and_bypasses_nothing(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        role = connection.execute(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        owned = connection.execute(
            "SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) = current_user"
        ).fetchone()
    assert role == (False, False, False, False)
    assert owned == (0,)
