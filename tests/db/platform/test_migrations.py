"""Migrations: there and back, and nothing left between the schema and the tables of the code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from alembic import command
from rxchat.db.platform import migrations
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
