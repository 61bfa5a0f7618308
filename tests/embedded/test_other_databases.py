"""The runtime role connects to RxChat's database and to no other one of the cluster, an older cluster's included."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from rxchat.db.platform import other_databases
from rxchat.embedded import process, secrets
from rxchat.embedded.postgres import Postgres
from rxchat.embedded.supervisor import Supervisor
from tests.embedded.processes import settings_for

pytestmark = pytest.mark.anyio

OTHERS = ["an other", "postgres", "template1"]


async def test_the_runtime_role_connects_to_no_other_database_after_the_next_start(prepared_folder: Path) -> None:
    await as_superuser(
        prepared_folder,
        'CREATE DATABASE "an other"',
        "GRANT CONNECT, TEMPORARY ON DATABASE postgres, template1 TO PUBLIC",
        "GRANT CONNECT ON DATABASE postgres TO rxchat_web, rxchat_app",
    )
    supervisor = Supervisor(settings_for(prepared_folder, "postgres"))
    found = await supervisor.start()
    try:
        assert found.database_url and found.database_owner_url
        assert other_databases.open_to(found.database_owner_url, found.database_url) == []
        async with await psycopg.AsyncConnection.connect(found.database_url) as connection:
            rows = await connection.execute(
                "SELECT datname FROM pg_database WHERE datname <> 'rxchat' AND datallowconn"
            )
            assert sorted(name for (name,) in await rows.fetchall()) == OTHERS
        for name in OTHERS:
            with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                await psycopg.AsyncConnection.connect(make_conninfo(found.database_url, dbname=name))
    finally:
        await supervisor.stop()
        await as_superuser(prepared_folder, 'DROP DATABASE "an other"')


async def test_databases_that_are_open_to_it_are_named_with_the_statement_that_closes_them(
    prepared_folder: Path,
) -> None:
    supervisor = Supervisor(settings_for(prepared_folder, "postgres"))
    found = await supervisor.start()
    try:
        assert found.database_url and found.database_owner_url
        port = int(found.database_url.split(":")[3].partition("/")[0])
        superuser = cluster(prepared_folder, port).superuser_url
        async with await psycopg.AsyncConnection.connect(superuser, autocommit=True) as connection:
            await connection.execute("GRANT CONNECT ON DATABASE postgres, template1 TO PUBLIC")
            names = other_databases.open_to(found.database_owner_url, found.database_url)
            assert names == ["postgres", "template1"]
            assert other_databases.open_to(found.database_owner_url, superuser) == []
            await connection.execute(other_databases.closing_statement(names).encode())
        assert other_databases.open_to(found.database_owner_url, found.database_url) == []
    finally:
        await supervisor.stop()


def cluster(data: Path, port: int) -> Postgres:
    """The cluster of a data folder."""
    return Postgres(data, port, secrets.load_or_create(data), process.unprivileged_user(data / "postgres"))


async def as_superuser(data: Path, *statements: str) -> None:
    """Start the servers, run statements, and stop the servers."""
    supervisor = Supervisor(settings_for(data, "postgres"))
    found = await supervisor.start()
    try:
        assert found.database_url
        port = int(found.database_url.split(":")[3].partition("/")[0])
        url = cluster(data, port).superuser_url
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            for statement in statements:
                await connection.execute(statement.encode())
    finally:
        await supervisor.stop()
