"""Settings that the runtime role gives itself (ALTER ROLE ... SET): RxChat serves all the same, and they are removed or named."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from pydantic import SecretStr
from sqlalchemy import make_url, text

from rxchat import commands
from rxchat.connections import ConfigurationError, Connections
from rxchat.db.platform import poolers, prerequisites, role_settings
from rxchat.db.platform.database import SESSION_SETTINGS, Database
from rxchat.db.platform.notifications import listen
from rxchat.embedded.secrets import load_or_create
from rxchat.jobs.worker import Worker
from rxchat.settings import Settings
from tests.jobs.test_worker import Idle

pytestmark = pytest.mark.anyio

ROLE = "sabotaged_login"
SABOTAGE = (
    "SET local_preload_libraries = 'nope'",
    "SET statement_timeout = '1ms'",
    "SET lock_timeout = '1ms'",
    "SET idle_session_timeout = '1ms'",
    "SET idle_in_transaction_session_timeout = '1ms'",
    "SET search_path = 'pg_temp'",
    "SET row_security = off",
    "SET default_transaction_read_only = on",
    "SET default_transaction_deferrable = on",
    "SET default_transaction_isolation = 'serializable'",
    "SET client_encoding = 'SQL_ASCII'",
    "SET client_encoding = 'LATIN1'",
    "SET bytea_output = 'escape'",
    "SET extra_float_digits = -15",
    "SET datestyle = 'German, DMY'",
    "SET intervalstyle = 'sql_standard'",
    "SET timezone = 'Asia/Kathmandu'",
    "SET role = 'pg_read_all_data'",
)


@pytest.fixture
def administrator(owner_url: str, data_folder: Path) -> Callable[[str], None]:
    """Runs a statement as the superuser."""
    password = load_or_create(data_folder).postgres_superuser_password

    def run(statement: str) -> None:
        with psycopg.connect(
            make_conninfo(owner_url, user="postgres", password=password), autocommit=True
        ) as connection:
            connection.execute(statement.encode())

    return run


@pytest.fixture
def login_url(owner_url: str, administrator: Callable[[str], None]) -> Iterator[str]:
    """A role that serves, which no other test uses."""
    clean = f"DROP OWNED BY {ROLE}; DROP ROLE {ROLE}"
    administrator(
        f"CREATE ROLE {ROLE} LOGIN PASSWORD 'x'; GRANT rxchat_app TO {ROLE}; GRANT CONNECT ON DATABASE rxchat TO {ROLE}"
    )
    yield make_url(owner_url).set(username=ROLE, password="x").render_as_string(hide_password=False)
    administrator(clean)


def sabotage(login_url: str, *statements: str) -> None:
    """Change the role's own settings, as the role itself."""
    with psycopg.connect(login_url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(f"ALTER ROLE {ROLE} {statement}".encode())


@pytest.mark.parametrize("where", ["", "IN DATABASE rxchat "])
async def test_what_a_connection_asks_for_wins_over_what_its_role_was_set_to(
    login_url: str, where: str, subtests: pytest.Subtests
) -> None:
    sabotage(login_url, *(where + statement for statement in SABOTAGE))
    assert prerequisites.encoding_problem(login_url) is None
    assert not poolers.is_pooled(login_url)
    assert await anext(listen(login_url)) == ""
    database = Database(login_url, pool_size=1)
    try:
        async with database.begin(None) as session:
            assert (await session.execute(text("SELECT current_user, session_user"))).one() == ("rxchat_app", ROLE)
            assert (
                await session.execute(text("SELECT count(*) FROM user_account WHERE name = '\u017bółw'"))
            ).scalar_one() == 0
            for name, value in SESSION_SETTINGS.items():
                with subtests.test(setting=name):
                    asked = text("SELECT setting FROM pg_settings WHERE name = :name")
                    assert (await session.execute(asked, {"name": name})).scalar_one() == value
    finally:
        await database.aclose()


async def test_a_limit_for_transactions_that_only_newer_servers_have_is_lifted_too(login_url: str) -> None:
    # The statement that lifts it has to end before: on a machine with much to do, it takes a while.
    sabotage(login_url, "SET transaction_timeout = '30s'")
    database = Database(login_url, pool_size=1)
    try:
        async with database.begin(None) as session:
            assert (await session.execute(text("SHOW transaction_timeout"))).scalar_one() == "0"
    finally:
        await database.aclose()


async def test_no_connection_keeps_any_other_setting_of_its_role(login_url: str) -> None:
    """Connections of the pool and of jobs reset every setting of the role, including those that RxChat does not list."""
    sabotage(
        login_url,
        "SET transaction_timeout = '30s'",
        "SET restrict_nonsystem_relation_kind = 'view,foreign-table'",
        "SET enable_indexscan = off",
        "SET from_collapse_limit = 1",
        "IN DATABASE rxchat SET work_mem = '64kB'",
    )
    kept = "SELECT name, source FROM pg_settings WHERE source IN ('user', 'database user') AND setting <> boot_val"
    assert await anext(listen(login_url)) == ""
    jobs = Worker(login_url, Idle(), Idle())._app  # pyright: ignore[reportArgumentType]
    database = Database(login_url, pool_size=1)
    try:
        async with database.begin(None) as session:
            assert (await session.execute(text(kept))).all() == []
        async with jobs.open_async():
            assert await jobs.connector.execute_query_all_async(kept) == []
    finally:
        await database.aclose()


@pytest.mark.parametrize("may_alter_it", [True, False])
async def test_migrating_removes_them_and_says_so(
    at: Connections,
    login_url: str,
    administrator: Callable[[str], None],
    capsys: pytest.CaptureFixture[str],
    may_alter_it: bool,
) -> None:
    if may_alter_it:
        administrator(f"GRANT {ROLE} TO rxchat_owner WITH ADMIN TRUE, INHERIT FALSE, SET FALSE")
    sabotage(login_url, *SABOTAGE, "IN DATABASE rxchat SET statement_timeout = '1ms'")
    there = replace(at, database_url=login_url)
    commands._reset_role_settings(there)
    assert role_settings.find_role_settings(there.database_owner_url, login_url) == []
    printed = capsys.readouterr().out
    assert f"Removed a setting of the role {ROLE}: local_preload_libraries = nope" in printed
    assert f"Removed a setting of the role {ROLE} in the database rxchat: statement_timeout = 1ms" in printed
    with psycopg.connect(login_url) as connection:
        assert connection.execute("SHOW statement_timeout").fetchone() == ("0",)
    commands._reset_role_settings(there)
    assert capsys.readouterr().out == ""


async def test_settings_of_a_superuser_or_of_the_owner_are_left_to_who_made_them(
    at: Connections, login_url: str, administrator: Callable[[str], None]
) -> None:
    sabotage(login_url, "SET work_mem = '8MB'")
    assert role_settings.reset(login_url, login_url) == []
    administrator(f"ALTER ROLE {ROLE} SUPERUSER")
    assert role_settings.reset(at.database_owner_url, login_url) == []
    assert [setting.value for setting in role_settings.find_role_settings(at.database_owner_url, login_url)] == ["8MB"]


async def test_checking_names_each_with_the_statement_that_removes_it(
    settings: Settings, at: Connections, login_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sabotage(login_url, "SET search_path = 'pg_temp'", "IN DATABASE rxchat SET statement_timeout = '1ms'")
    found = settings.model_copy(
        update={
            "database_url": SecretStr(login_url),
            "database_owner_url": SecretStr(at.database_owner_url),
            "redis_url": SecretStr(at.redis_url or ""),
            "ollama_hosts": at.ollama_hosts,
            "secret_key": SecretStr("A" * 43 + "="),
            "password_pepper": SecretStr("B" * 43 + "="),
        }
    )
    commands.check(found, argparse.Namespace())
    printed = capsys.readouterr().out
    assert (
        "warning  Database role: The role sabotaged_login has a setting of its own: search_path = pg_temp." in printed
    )
    assert 'ALTER ROLE "sabotaged_login" RESET "search_path";' in printed
    assert 'ALTER ROLE "sabotaged_login" IN DATABASE "rxchat" RESET "statement_timeout";' in printed


async def test_a_database_that_refuses_the_role_for_its_settings_says_what_to_run(
    settings: Settings, at: Connections, login_url: str, administrator: Callable[[str], None]
) -> None:
    # Nothing that a connection asks for wins over this one; the role itself cannot set it.
    administrator(f"ALTER ROLE {ROLE} SET session_preload_libraries = 'nope'")
    with pytest.raises(ConfigurationError) as refused:
        commands._check_database(settings, replace(at, database_url=login_url))
    assert "nope" in refused.value.message
    assert f'ALTER ROLE "{ROLE}" RESET "session_preload_libraries";' in refused.value.message
