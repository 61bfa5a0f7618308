"""A pooler in the place of Postgres: found out before RxChat serves, with the setting that is to be changed."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr

from rxchat import commands, doctor
from rxchat.connections import ConfigurationError, Connections
from rxchat.db.platform import poolers
from rxchat.settings import Settings
from tests.peers.pgbouncer import pgbouncer


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that pgbouncer's user can read."""
    found = Path(tempfile.mkdtemp(prefix="rxchat-pgbouncer-"))
    yield found
    shutil.rmtree(found)


IGNORING = {"ignore_startup_parameters": "options"}
# What a Postgres can be told so that only shared connections give the pooler away.
OPTIONS_OF_THE_ROLE = (
    "ALTER ROLE {role} SET statement_timeout = 30000",
    "ALTER ROLE {role} SET idle_in_transaction_session_timeout = 5000",
)
OPTIONS_AS_BEFORE = (
    "ALTER ROLE {role} RESET statement_timeout",
    "ALTER ROLE {role} RESET idle_in_transaction_session_timeout",
)


def test_postgres_itself_is_no_pooler(database_url: str, owner_url: str) -> None:
    assert not poolers.is_pooled(database_url) and not poolers.is_pooled(owner_url)


@pytest.mark.parametrize(
    "settings",
    [
        {"pool_mode": "transaction"},
        {"pool_mode": "transaction", **IGNORING},
        {"pool_mode": "statement", **IGNORING},
        {"pool_mode": "session", **IGNORING},
    ],
    ids=["refuses the options", "drops the options", "by statement", "by session, without options"],
)
def test_a_pooler_that_loses_the_options_of_a_session_is_found(
    folder: Path, database_url: str, settings: dict[str, str]
) -> None:
    with pgbouncer(folder, database_url, **settings) as pooled:
        assert poolers.is_pooled(pooled)


@pytest.mark.parametrize("more", [{}, {"default_pool_size": "1"}, {"server_round_robin": "1", "min_pool_size": "4"}])
@pytest.mark.parametrize("mode", ["transaction", "statement"])
def test_a_pooler_is_found_by_the_connections_that_it_shares(
    folder: Path, database_url: str, owner_url: str, mode: str, more: dict[str, str]
) -> None:
    role = conninfo_to_dict(owner_url)["user"]
    with psycopg.connect(owner_url, autocommit=True) as owner:
        try:
            for statement in OPTIONS_OF_THE_ROLE:
                owner.execute(statement.format(role=role).encode())
            with pgbouncer(folder, owner_url, pool_mode=mode, **IGNORING, **more) as pooled:
                assert poolers.is_pooled(pooled)
        finally:
            for statement in OPTIONS_AS_BEFORE:
                owner.execute(statement.format(role=role).encode())


@pytest.mark.anyio
@pytest.mark.parametrize("setting", ["DATABASE_URL", "DATABASE_OWNER_URL"])
async def test_starting_through_a_pooler_says_which_setting_needs_a_direct_connection(
    folder: Path, settings: Settings, at: Connections, setting: str
) -> None:
    with pgbouncer(folder, at.database_url, pool_mode="transaction") as pooled:
        wrong = replace(at, **{setting.lower(): pooled})
        with pytest.raises(ConfigurationError, match=f"^{setting} leads to a connection pooler.*direct connection"):
            commands._check_database(settings, wrong)


def test_check_refuses_a_pooler(
    folder: Path, settings: Settings, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pgbouncer(folder, database_url, pool_mode="transaction") as pooled:
        wrong = settings.model_copy(update={"database_url": SecretStr(pooled)})
        assert commands.check(wrong, argparse.Namespace()) == 1
    printed = capsys.readouterr().out
    assert "error    Database: DATABASE_URL leads to a connection pooler" in printed
    assert "needs a direct connection" in printed


@pytest.mark.anyio
async def test_doctor_names_a_pooler(folder: Path, at: Connections) -> None:
    with pgbouncer(folder, at.database_url, pool_mode="transaction") as pooled:
        found = await doctor._database(replace(at, database_url=pooled))
    assert "DATABASE_URL leads to a connection pooler" in found.seen and "direct connection" in found.remedy
