"""Migrations: there and back, and nothing left between the schema and the tables of the code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.json import Jsonb

from alembic import command
from rxchat.db.platform import migrations
from rxchat.domain.conversation_events import event_from
from rxchat.domain.conversations import History
from rxchat.domain.ids import new_id
from rxchat.embedded.secrets import load_or_create


@pytest.fixture
def fresh_url(owner_url: str, data_folder: Path) -> Iterator[str]:
    """An empty database of this test's own; only the cluster's superuser may make one."""
    password = load_or_create(data_folder).postgres_superuser_password
    at = conninfo_to_dict(owner_url)
    superuser = {**at, "user": "postgres", "password": password}
    with psycopg.connect(**superuser, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS rxchat_fresh")
        connection.execute("CREATE DATABASE rxchat_fresh OWNER rxchat_owner")
    with psycopg.connect(**{**superuser, "dbname": "rxchat_fresh"}, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION vector")
        connection.execute("CREATE EXTENSION unaccent")
        connection.execute("CREATE EXTENSION pg_trgm")
    yield owner_url.rpartition("/")[0] + "/rxchat_fresh"
    with psycopg.connect(**superuser, autocommit=True) as connection:
        connection.execute("DROP DATABASE rxchat_fresh WITH (FORCE)")


def test_the_schema_is_that_of_the_tables(owner_url: str) -> None:
    command.check(migrations.config(owner_url))
    assert migrations.current_revision(owner_url) == migrations.newest_revision()


def test_migrations_go_up_and_down_and_up_again(fresh_url: str) -> None:
    assert migrations.current_revision(fresh_url) is None
    migrations.upgrade(fresh_url)
    command.downgrade(migrations.config(fresh_url), "base")
    with psycopg.connect(fresh_url) as connection:
        left = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')"
            " UNION SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
            " AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')"
            " UNION SELECT typname FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype = 'e'"
        ).fetchall()
    assert {name for (name,) in left} == {"alembic_version"}
    migrations.upgrade(fresh_url)
    assert migrations.current_revision(fresh_url) == migrations.newest_revision()


@pytest.mark.parametrize("revision", ["0021", "0001", "9999"])
def test_a_schema_of_another_version_is_refused_with_what_to_do(fresh_url: str, revision: str) -> None:
    """From before the first release (which began with "0001", too) or from a newer version."""
    with psycopg.connect(fresh_url) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        connection.execute("INSERT INTO alembic_version VALUES (%s)", (revision,))
    with pytest.raises(migrations.UnknownRevision, match=rf"revision {revision}.*empty database"):
        migrations.upgrade(fresh_url)


def test_stored_conversations_become_branches_and_their_events_say_so(fresh_url: str) -> None:
    """Two turns of which the second answer was tried twice, and a conversation without a message."""
    command.upgrade(migrations.config(fresh_url), "0003")
    owner, conversation, empty, run = (new_id() for _ in range(4))
    ids = [new_id() for _ in range(4)]
    events = [
        ("conversation_created", {"title": "t", "model": "m"}),
        ("question_asked", {"message_id": str(ids[0]), "text": "one"}),
        ("answer_started", {"message_id": str(ids[1]), "run_id": str(run), "model": "m"}),
        ("answer_ended", {"message_id": str(ids[1]), "state": "done", "text": "first"}),
        ("question_asked", {"message_id": str(ids[2]), "text": "two"}),
        ("answer_started", {"message_id": str(ids[3]), "run_id": str(run), "model": "m"}),
        ("answer_ended", {"message_id": str(ids[3]), "state": "failed", "text": ""}),
        ("answer_started", {"message_id": str(ids[3]), "run_id": str(run), "model": "m"}),
    ]
    with psycopg.connect(fresh_url) as connection:
        connection.execute(
            "INSERT INTO user_account (id, email, name, role) VALUES (%s, 'list@example.org', 'List', 'member')",
            [owner],
        )
        for name, seq in ((conversation, len(events)), (empty, 1)):
            connection.execute(
                "INSERT INTO conversation (owner_id, id, title, model, seq) VALUES (%s, %s, 't', 'm', %s)",
                (owner, name, seq),
            )
        for seq, (kind, data) in enumerate(events, start=1):
            connection.execute(
                "INSERT INTO conversation_event (owner_id, conversation_id, seq, type, data, actor_id)"
                " VALUES (%s, %s, %s, %s, %s, %s)",
                (owner, conversation, seq, kind, Jsonb(data), owner),
            )
        for message_id, seq, role, text in zip(
            ids, (2, 3, 5, 6), ("user", "assistant") * 2, ("one", "first", "two", ""), strict=True
        ):
            connection.execute(
                "INSERT INTO message (owner_id, conversation_id, id, seq, role, text, reasoning, model, state, error_code,"
                " error, tokens, seconds, tokens_per_second) VALUES (%s, %s, %s, %s, %s, %s, '', '', 'done', '', '', 0, 0, 0)",
                (owner, conversation, message_id, seq, role, text),
            )
    migrations.upgrade(fresh_url)
    with psycopg.connect(fresh_url) as connection:
        parents = dict(connection.execute("SELECT id, parent_id FROM message").fetchall())
        leaves = dict(connection.execute("SELECT id, leaf_id FROM conversation").fetchall())
        stored = connection.execute(
            "SELECT seq, type, data FROM conversation_event WHERE conversation_id = %s ORDER BY seq", [conversation]
        ).fetchall()
    history = History.replayed((seq, event_from(kind, data)) for seq, kind, data in stored)
    assert parents == dict(zip(ids, [conversation, *ids], strict=False))
    assert {message.id: message.parent_id for message in history.branch} == parents
    assert leaves == {conversation: ids[3], empty: empty} and history.leaf_id == ids[3]
    command.downgrade(migrations.config(fresh_url), "0003")
    with psycopg.connect(fresh_url) as connection:
        left = connection.execute("SELECT data FROM conversation_event ORDER BY seq").fetchall()
    assert [data for (data,) in left] == [data for _, data in events]
