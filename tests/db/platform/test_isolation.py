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
from tests.conftest import empty
from tests.factories import add_user

# What belongs to the installation and not to a person has a test of its own below; nobody touches the last ones at all.
SHARED = {"role", "user_group", "access_grant", "instance_setting", "embedding_index", "frequent_lexeme"}
PROCEDURES_ALONE = {
    "rate_limit",
    "consumed_token",
    "audit_checkpoint",
    "object_deletion",
    "instance",
    "queue_claim",
}
TABLES = sorted(metadata.tables)
OWNED = sorted(set(TABLES) - SHARED - PROCEDURES_ALONE)
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
    ),
    "user_id",
)


def rows_around_an_account(owner: UUID, group: UUID) -> tuple[tuple[str, tuple], ...]:
    """A row for each table of credentials, rights and limits."""
    return (
        ("INSERT INTO totp_secret (user_id, encrypted_secret) VALUES (%s, 'x')", (owner,)),
        ("INSERT INTO recovery_code (user_id, id, hash) VALUES (%s, %s, 'x')", (owner, new_id())),
        (
            "INSERT INTO passkey (user_id, id, credential_id, public_key, name) VALUES (%s, %s, 'x', 'x', 'x')",
            (owner, new_id()),
        ),
        (
            "INSERT INTO api_key (user_id, id, name, prefix, hash, scopes) VALUES (%s, %s, 'x', 'x', 'x', '{read}')",
            (owner, new_id()),
        ),
        (
            "INSERT INTO account_token (id, kind, hash, user_id, email, role, group_ids, is_mailed, expires_at)"
            " VALUES (%s, 'reset', 'x', %s, 'x', '', '{}', true, now() + '1 day')",
            (new_id(), owner),
        ),
        ("INSERT INTO data_export (user_id, id, expires_at) VALUES (%s, %s, now())", (owner, new_id())),
        ("INSERT INTO user_group (id, name, description) VALUES (%s, 'g', '')", (group,)),
        ("INSERT INTO group_member (user_id, group_id) VALUES (%s, %s)", (owner, group)),
        (
            "INSERT INTO access_grant (id, principal_kind, principal, resource_kind, resource, action)"
            " VALUES (%s, 'person', %s, 'model', 'm', 'use')",
            (new_id(), str(owner)),
        ),
        ("INSERT INTO instance_setting (name, value) VALUES ('registration', '\"open\"')", ()),
        ("INSERT INTO rate_limit (key, failures) VALUES ('k', 1)", ()),
        ("INSERT INTO consumed_token (id, expires_at) VALUES (%s, now())", (new_id(),)),
        (
            "INSERT INTO queue_claim (queue_name, owner_id, number, claimed_at) VALUES ('isolation', %s, 1, now())",
            (owner,),
        ),
        (
            "INSERT INTO audit_checkpoint (seq, hash, signed_at, key_id, signature) VALUES (1, '', now(), '', '')",
            (),
        ),
    )


def rows_around_a_document(owner: UUID, conversation: UUID) -> tuple[tuple[str, tuple], ...]:
    """A row for each table of files, documents and what answers are grounded in."""
    collection, file, document, chunk = new_id(), new_id(), new_id(), new_id()
    return (
        (
            "INSERT INTO collection (owner_id, id, kind, name, description) VALUES (%s, %s, 'library', 'c', '')",
            (owner, collection),
        ),
        (
            "INSERT INTO stored_file (owner_id, id, size_bytes, key_id, wrapped_key) VALUES (%s, %s, 1, 'k', 'x')",
            (owner, file),
        ),
        (
            "INSERT INTO file_part (owner_id, file_id, start, size_bytes, object_key) VALUES (%s, %s, 0, 1, %s)",
            (owner, file, str(file)),
        ),
        (
            "INSERT INTO document (owner_id, id, collection_id, file_id, name, media_type, size_bytes, state, published_generation)"
            " VALUES (%s, %s, %s, %s, 'd', 'text/plain', 1, 'ready', 1)",
            (owner, document, collection, file),
        ),
        (
            "INSERT INTO document_text (owner_id, document_id, generation, collection_id, title, text, blocks)"
            " VALUES (%s, %s, 1, %s, '', 't', '[]')",
            (owner, document, collection),
        ),
        (
            "INSERT INTO recognized_page (owner_id, document_id, generation, page, lines) VALUES (%s, %s, 1, 0, '[]')",
            (owner, document),
        ),
        (
            'INSERT INTO chunk (owner_id, id, document_id, generation, collection_id, ordinal, page, heading, start, "end",'
            " tokens, hash, text, lexemes) VALUES (%s, %s, %s, 1, %s, 0, 0, '', 0, 1, 1, 'x', 't', 't')",
            (owner, chunk, document, collection),
        ),
        ("DELETE FROM embedding_index WHERE id = 901", ()),
        (
            "INSERT INTO embedding_index (id, model, dimensions, max_tokens, state) VALUES (901, 'isolation', 2, 2, 'retired')",
            (),
        ),
        (
            "INSERT INTO chunk_vector (owner_id, chunk_id, index_id, document_id, collection_id, embedding)"
            " VALUES (%s, %s, 901, %s, %s, '[1,2]')",
            (owner, chunk, document, collection),
        ),
        ("INSERT INTO frequent_lexeme (lexeme, frequency) VALUES ('w', 1) ON CONFLICT DO NOTHING", ()),
        (
            "INSERT INTO conversation_source (owner_id, conversation_id, id, kind, name) VALUES (%s, %s, %s, 'collection', 'c')",
            (owner, conversation, collection),
        ),
        (
            "INSERT INTO message_source (owner_id, message_id, number, conversation_id, document_owner_id, document_id,"
            ' collection_id, chunk_id, name, heading, page, start, "end", text, hash, score)'
            " VALUES (%s, %s, 1, %s, %s, %s, %s, %s, 'd', '', 0, 0, 1, 't', 'x', 1)",
            (owner, new_id(), conversation, owner, document, collection, chunk),
        ),
    )


@pytest.fixture
def people(owner_url: str):
    """Two people; the first has a row in every table."""
    victim, stranger = add_user(owner_url, "Victim"), add_user(owner_url, "Stranger")
    owner, conversation, run, group = victim.user_id, new_id(), new_id(), new_id()
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
                "INSERT INTO queued_message (owner_id, id, conversation_id, text, model) VALUES (%s, %s, %s, 't', 'm')",
                (owner, new_id(), conversation),
            ),
            (
                "INSERT INTO run_chunk (owner_id, run_id, seq, kind, start, text) VALUES (%s, %s, 1, 'text', 0, 't')",
                (owner, run),
            ),
            (
                "INSERT INTO audit_event (id, actor_id, action, address, correlation_id, data, seq, previous_hash, hash)"
                " VALUES (%s, %s, 'a', '', '', '{}', 1, '', '')",
                (new_id(), owner),
            ),
            *rows_around_an_account(owner, group),
            *rows_around_a_document(owner, conversation),
        ):
            connection.execute(statement, values)  # pyright: ignore[reportArgumentType]
    yield victim.user_id, stranger.user_id
    empty(owner_url)


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


@pytest.mark.parametrize("table", OWNED)
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
@pytest.mark.parametrize("table", OWNED)
def test_a_stranger_changes_nothing(database_url: str, people, table: str, verb: str) -> None:
    victim, stranger = people
    owner = sql.Identifier(OWNER_COLUMN.get(table, "owner_id"))
    statement = sql.SQL(verb + " WHERE {owner} = %s").format(table=sql.Identifier(table), owner=owner)  # pyright: ignore[reportArgumentType]
    with acting(database_url, stranger) as connection:
        try:
            assert connection.execute(statement, (victim,)).rowcount == 0
        except psycopg.errors.InsufficientPrivilege:
            connection.rollback()


@pytest.mark.parametrize("table", OWNED)
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
    values = {
        "Uuid": "gen_random_uuid()",
        "DateTime": "now()",
        "Integer": "7",
        "BigInteger": "7",
        "Float": "0",
        "Boolean": "true",
        "LargeBinary": "'x'::bytea",
        "ARRAY": "'{}'::varchar[]",
        "JSONB": "'{}'::jsonb",
        "REAL": "0",
        "HALFVEC": "'[1,2]'::halfvec",
    }
    return values.get(kind, "'x'")


@pytest.mark.parametrize("table", sorted(SHARED))
def test_what_belongs_to_everyone_is_changed_by_those_alone_who_may(database_url: str, people, table: str) -> None:
    victim, _ = people
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


@pytest.mark.parametrize("table", sorted(SHARED - {"instance_setting", "embedding_index"}))
def test_whoever_is_not_signed_in_sees_nothing_of_it(database_url: str, people, table: str) -> None:
    assert people
    with acting(database_url, None) as connection:
        counted = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
    assert counted == (0,)


def test_a_grant_is_seen_by_whom_it_is_for(database_url: str, people) -> None:
    victim, stranger = people
    for person, count in ((victim, 1), (stranger, 0)):
        with acting(database_url, person) as connection:
            assert connection.execute("SELECT count(*) FROM access_grant").fetchone() == (count,)


@pytest.mark.parametrize("verb", ["SELECT * FROM {}", "DELETE FROM {}"])
@pytest.mark.parametrize("table", sorted(PROCEDURES_ALONE))
def test_what_is_for_procedures_is_for_nobody_else(database_url: str, people, table: str, verb: str) -> None:
    victim, _ = people
    statement = sql.SQL(verb).format(sql.Identifier(table))  # pyright: ignore[reportArgumentType]
    with acting(database_url, victim) as connection:
        try:
            assert connection.execute(statement).rowcount == 0
        except psycopg.errors.InsufficientPrivilege:
            connection.rollback()


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
