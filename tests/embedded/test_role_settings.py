"""What a role of Postgres has set for itself is gone after the next start of the embedded servers."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
import structlog

from rxchat.embedded.supervisor import Supervisor
from tests.embedded.processes import settings_for

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("sabotage", "names"),
    [
        ("ALTER ROLE {role} SET local_preload_libraries = 'nope'", "local_preload_libraries"),
        (
            "ALTER ROLE {role} SET transaction_timeout = '1ms'; ALTER ROLE {role} IN DATABASE rxchat SET statement_timeout = '1ms'",
            "transaction_timeout, statement_timeout (in the database rxchat)",
        ),
        (
            "ALTER ROLE {role} IN DATABASE rxchat SET search_path = 'pg_temp'; ALTER ROLE {role} IN DATABASE postgres SET role = 'x'",
            "role (in the database postgres), search_path (in the database rxchat)",
        ),
    ],
    ids=["library", "timeouts", "in databases"],
)
async def test_settings_that_a_role_has_given_itself_are_gone_after_the_next_start_which_says_so(
    prepared_folder: Path, sabotage: str, names: str
) -> None:
    supervisor = Supervisor(settings_for(prepared_folder, "postgres"))
    found = await supervisor.start()
    try:
        assert found.database_url and found.database_owner_url
        await run(found.database_url, "SET ROLE rxchat_app; ALTER ROLE rxchat_app SET search_path = 'x'")
        await run(found.database_url, sabotage.format(role="rxchat_web"))
        await run(found.database_owner_url, sabotage.format(role="rxchat_owner"))
        # Each of these is a default of the next connection, which may not come to be.
        with suppress(psycopg.Error):
            assert await settings_seen(found.database_url) != ('"$user", public', "0", 0)
    finally:
        await supervisor.stop()
    said: list[str] = []
    again = Supervisor(settings_for(prepared_folder, "postgres"), said.append)
    with structlog.testing.capture_logs() as logged:
        found = await again.start()
    try:
        for url in (found.database_url, found.database_owner_url):
            assert url is not None
            assert await settings_seen(url) == ('"$user", public', "0", 0)
        for role in ("rxchat_web", "rxchat_owner"):
            (line,) = [line["settings"] for line in logged if line.get("role") == role]
            assert line == names
            assert f"Removed settings of the role {role}: {names}" in said
    finally:
        await again.stop()


async def run(url: str, statements: str) -> None:
    """Run statements, each a transaction of its own."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        for statement in statements.split("; "):
            await connection.execute(statement.encode())


async def settings_seen(url: str) -> object:
    """Return the defaults of a new connection, and how many settings roles have."""
    query = (
        "SELECT current_setting('search_path'), current_setting('statement_timeout'),"
        " (SELECT count(*) FROM pg_db_role_setting WHERE setrole <> 0)"
    )
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        return await (await connection.execute(query)).fetchone()
