"""Owners with few rights: what is missing is created where that is allowed; else its SQL is for an administrator.

The cluster's other databases use the role rxchat_app, so these tests give the role of their own another name.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import SecretStr

from rxchat import commands
from rxchat.connections import ConfigurationError
from rxchat.db.platform import migrations, prerequisites
from rxchat.embedded.secrets import load_or_create
from rxchat.settings import Settings

NAME = "rxchat_hosted"
OWNER, LOGIN, APP = "Hosted owner", "hosted_login", "hosted_app"
KEY = "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk="


@dataclass(frozen=True)
class Hosted:
    """A database of a provider: its owner, a role that serves, and the administrator."""

    owner_url: str
    login_url: str
    administrator: Callable[[str], None]


@pytest.fixture
def hosted(owner_url: str, data_folder: Path, database_url: str) -> Iterator[Hosted]:
    """A database whose owner may do nothing but own it; without extensions."""
    password = load_or_create(data_folder).postgres_superuser_password

    def run(text: str, database: str = NAME) -> None:
        at = make_conninfo(owner_url, user="postgres", password=password, dbname=database)
        with psycopg.connect(at, autocommit=True) as connection:
            connection.execute(text.encode())

    def clean() -> None:
        run(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)", "postgres")
        for role in (APP, LOGIN, OWNER):
            run(f'DROP ROLE IF EXISTS "{role}"', "postgres")

    clean()
    for role in (OWNER, LOGIN):
        run(f"""CREATE ROLE "{role}" LOGIN PASSWORD 'few rights'""", "postgres")
    run(f"""CREATE DATABASE {NAME} OWNER postgres""", "postgres")
    owner, login = (make_conninfo(owner_url, user=role, password="few rights", dbname=NAME) for role in (OWNER, LOGIN))
    yield Hosted(owner, login, run)
    clean()


@pytest.fixture
def new_role(monkeypatch: pytest.MonkeyPatch) -> None:
    """A runtime role that the cluster does not have yet."""
    monkeypatch.setattr(prerequisites, "RUNTIME_ROLE", APP)


def test_an_owner_without_rights_is_told_the_exact_sql(hosted: Hosted, new_role: None) -> None:
    left = prerequisites.create_missing(hosted.owner_url, hosted.login_url)
    assert left == [
        f"CREATE ROLE {APP} NOLOGIN;",
        f'GRANT {APP} TO "{OWNER}";',
        f'GRANT {APP} TO "{LOGIN}";',
        "CREATE EXTENSION vector;",
        "CREATE EXTENSION unaccent;",
        "CREATE EXTENSION pg_trgm;",
        f'GRANT USAGE, CREATE ON SCHEMA public TO "{OWNER}";',
    ]
    for statement in left:
        hosted.administrator(statement)
    assert prerequisites.create_missing(hosted.owner_url, hosted.login_url) == []


def test_an_owner_who_may_creates_only_what_is_missing(hosted: Hosted, new_role: None) -> None:
    hosted.administrator(f'ALTER ROLE "{OWNER}" CREATEROLE')
    hosted.administrator(f'ALTER DATABASE {NAME} OWNER TO "{OWNER}"')
    hosted.administrator("CREATE EXTENSION vector")
    # Unaccent is trusted: who may create in the database may create it.
    assert prerequisites.create_missing(hosted.owner_url, hosted.login_url) == []
    for url in (hosted.owner_url, hosted.login_url):
        with psycopg.connect(url) as connection:
            connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(APP)))


def test_migrating_without_rights_fails_with_the_sql_and_works_once_it_was_run(
    hosted: Hosted, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings.model_validate(
        {
            "RXCHAT_DATA": tmp_path,
            "DATABASE_URL": SecretStr(_as_url(hosted.login_url)),
            "DATABASE_OWNER_URL": SecretStr(_as_url(hosted.owner_url)),
            "REDIS_URL": "redis://127.0.0.1:9/0",
            "OLLAMA_HOSTS": "127.0.0.1:9",
            "RXCHAT_SECRET_KEY": KEY,
            "RXCHAT_PASSWORD_PEPPER": KEY,
        }
    )
    with pytest.raises(ConfigurationError) as refused:
        commands.migrate(settings, argparse.Namespace())
    said = refused.value.message
    assert OWNER in said and NAME in said and "administrator" in said
    wanted = [line.strip() for line in said.splitlines() if line.endswith(";")]
    assert f'GRANT rxchat_app TO "{OWNER}";' in wanted and "CREATE EXTENSION vector;" in wanted
    assert not any(line.startswith("CREATE ROLE") for line in wanted), "the role is there already"
    for statement in wanted:
        hosted.administrator(statement)
    assert commands.migrate(settings, argparse.Namespace()) == 0
    assert migrations.newest_revision() in capsys.readouterr().out
    # And once more, as at every start.
    assert commands.migrate(settings, argparse.Namespace()) == 0


def _as_url(conninfo: str) -> str:
    at = conninfo_to_dict(conninfo)
    user, password = str(at["user"]).replace(" ", "%20"), str(at["password"]).replace(" ", "%20")
    return f"postgresql://{user}:{password}@/{at['dbname']}?host={at['host']}&port={at.get('port', 5432)}"


def test_a_database_of_another_encoding_is_refused_with_what_to_do(hosted: Hosted) -> None:
    name = f"{NAME}_ascii"
    hosted.administrator(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    hosted.administrator(
        f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0"
    )
    try:
        url = make_conninfo(hosted.owner_url, dbname=name)
        settings = Settings.model_validate(
            {"DATABASE_URL": url, "RXCHAT_SECRET_KEY": KEY, "RXCHAT_PASSWORD_PEPPER": KEY, "REDIS_URL": "redis://x"}
        )
        with pytest.raises(ConfigurationError, match=r"SQL_ASCII.*ENCODING 'UTF8'"):
            commands.migrate(settings, argparse.Namespace())
    finally:
        hosted.administrator(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    assert prerequisites.encoding_problem(hosted.owner_url) is None
