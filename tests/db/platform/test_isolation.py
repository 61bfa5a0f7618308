"""Row-level security, table by table and verb by verb: a stranger sees nothing and changes nothing.

Walks the tables of the code, so that a new one fails until it has its policy and its row here.
"""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from rxchat.tables import metadata
from tests.db.platform.populated import acting

# What belongs to the installation and not to a person has a test of its own below; nobody touches the last ones at all.
SHARED = {
    "role",
    "user_group",
    "access_grant",
    "instance_setting",
    "embedding_index",
    "frequent_lexeme",
    "model_provider",
    "model_price",
    "quota",
    "model_setting",
    "host_job",
}
PROCEDURES_ALONE = {
    "rate_limit",
    "consumed_token",
    "audit_checkpoint",
    "instance",
    "queue_claim",
    "quota_counter",
    "usage_reservation",
}
# Its rows name objects and nobody's rows; who may add some is asked in tests/services/documents/test_storage_gc.py.
MAINTENANCE = {"object_deletion"}
TABLES = sorted(metadata.tables)
OWNED = sorted(set(TABLES) - SHARED - PROCEDURES_ALONE - MAINTENANCE)
OWNER_COLUMN = {"user_account": "id", "audit_event": "actor_id"} | dict.fromkeys(
    (
        "user_session",
        "identity",
        "totp_secret",
        "recovery_code",
        "passkey",
        "api_key",
        "group_member",
        "account_token",
        "data_export",
        "user_preferences",
        "conversation_read",
        "model_usage",
    ),
    "user_id",
)


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


@pytest.mark.parametrize("table", OWNED)
def test_a_row_is_seen_by_its_owner_and_by_nobody_else(database_url: str, users, table: str) -> None:
    victim, stranger = users
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
@pytest.mark.parametrize("table", OWNED)
def test_a_stranger_changes_nothing(database_url: str, users, table: str, verb: str) -> None:
    victim, stranger = users
    owner = sql.Identifier(OWNER_COLUMN.get(table, "owner_id"))
    statement = sql.SQL(verb + " WHERE {owner} = %s").format(table=sql.Identifier(table), owner=owner)  # pyright: ignore[reportArgumentType]
    with acting(database_url, stranger) as connection:
        try:
            assert connection.execute(statement, (victim,)).rowcount == 0
        except psycopg.errors.InsufficientPrivilege:
            connection.rollback()


@pytest.mark.parametrize("table", OWNED)
def test_a_stranger_adds_nothing_in_somebodys_name(database_url: str, users, table: str) -> None:
    victim, stranger = users
    columns = [column.name for column in metadata.tables[table].columns if column.computed is None]
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
    values = {
        "Uuid": "gen_random_uuid()",
        "DateTime": "now()",
        "Integer": "7",
        "BigInteger": "7",
        "Float": "0",
        "Numeric": "7",
        "Date": "now()",
        "Boolean": "true",
        "LargeBinary": "'x'::bytea",
        "ARRAY": "'{}'",
        "JSONB": "'{}'::jsonb",
        "REAL": "0",
        "HALFVEC": "'[1,2]'::halfvec",
    }
    return values.get(kind, "'x'")


@pytest.mark.parametrize("table", sorted(SHARED))
def test_what_belongs_to_everyone_is_changed_by_those_alone_who_may(database_url: str, users, table: str) -> None:
    victim, _ = users
    key = sql.Identifier(next(iter(metadata.tables[table].primary_key)).name)
    for verb in ("DELETE FROM {table}", "UPDATE {table} SET {key} = {key}"):
        statement = sql.SQL(verb).format(table=sql.Identifier(table), key=key)  # pyright: ignore[reportArgumentType]
        with acting(database_url, victim) as connection:
            try:
                assert connection.execute(statement).rowcount == 0
            except psycopg.errors.InsufficientPrivilege:
                connection.rollback()
    columns = [column.name for column in metadata.tables[table].columns]
    values = sql.SQL(", ").join(sql.SQL(filler(table, column)) for column in columns)  # pyright: ignore[reportArgumentType]
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    statement = sql.SQL("INSERT INTO {} ({}) SELECT {}").format(sql.Identifier(table), names, values)
    with acting(database_url, victim) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)


@pytest.mark.parametrize(
    "table", sorted(SHARED - {"instance_setting", "embedding_index", "model_provider", "model_setting"})
)
def test_whoever_is_not_signed_in_sees_nothing_of_it(database_url: str, users, table: str) -> None:
    assert users
    with acting(database_url, None) as connection:
        counted = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
    assert counted == (0,)


def test_a_grant_is_seen_by_whom_it_is_for(database_url: str, users) -> None:
    victim, stranger = users
    for person, count in ((victim, 1), (stranger, 0)):
        with acting(database_url, person) as connection:
            assert connection.execute("SELECT count(*) FROM access_grant").fetchone() == (count,)


@pytest.mark.parametrize("verb", ["SELECT * FROM {}", "DELETE FROM {}"])
@pytest.mark.parametrize("table", sorted(PROCEDURES_ALONE))
def test_what_is_for_procedures_is_for_nobody_else(database_url: str, users, table: str, verb: str) -> None:
    victim, _ = users
    statement = sql.SQL(verb).format(sql.Identifier(table))  # pyright: ignore[reportArgumentType]
    with acting(database_url, victim) as connection:
        try:
            assert connection.execute(statement).rowcount == 0
        except psycopg.errors.InsufficientPrivilege:
            connection.rollback()


def test_a_pooled_connection_forgets_who_it_acted_for(database_url: str, users) -> None:
    victim, _ = users
    with acting(database_url, victim) as connection:
        connection.commit()
        assert rows_seen(connection, "conversation") == 0


@pytest.mark.parametrize("table", ["audit_event", "conversation_event"])
def test_what_only_procedures_may_write_cannot_be_written(database_url: str, users, table: str) -> None:
    victim, _ = users
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
