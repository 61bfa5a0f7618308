"""Fixtures of all tests: real servers, started as `reflex run` starts them, databases, settings and services."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Iterator
from functools import cache
from pathlib import Path

import httpx
import psycopg
import pytest
import redis
import structlog
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from psycopg import sql

from rxchat.adapters.redis_broadcast import RedisBroadcast
from rxchat.connections import Connections
from rxchat.db.platform import migrations
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import CurrentUser
from rxchat.embedded import endpoints
from rxchat.embedded.endpoints import Endpoints
from rxchat.lifespan import running
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests import owner
from tests.factories import add_user
from tests.peers.scripted_ollama import ScriptedOllama, scripted_ollama
from tests.rolled_back import RolledBackDatabase
from tests.summary import STARTS

# A machine that does other things is no fault of what is tested: no example, and no making of one, has a time limit.
hypothesis_settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("untimed")

ROOT = Path(__file__).resolve().parents[1]
# Otherwise each request loads all certificates again, which takes 20 ms of processor time.
_transports = httpx._transports.default
_transports.create_ssl_context = cache(_transports.create_ssl_context)  # pyright: ignore[reportPrivateImportUsage]
# A logger that a test's configuration has cached is out of reach of `capture_logs` in all later ones of its process.
_configure = structlog.configure
structlog.configure = lambda *given, **named: _configure(*given, **named | {"cache_logger_on_first_use": False})


def pytest_unconfigure() -> None:
    """Close shared connections."""
    owner.close()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Return asyncio, on which Reflex runs."""
    return "asyncio"


@pytest.fixture(scope="session")
def data_folder() -> Iterator[Path]:
    """The data folder of this session's servers, which the unprivileged user of Postgres can enter."""
    folder = Path(tempfile.mkdtemp(prefix="rxchat-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def servers(data_folder: Path) -> Iterator[Endpoints]:
    """Postgres and Valkey of this test session, which end with it in any case."""
    data = data_folder
    environment = {**os.environ, "RXCHAT_DATA": str(data), "OLLAMA_HOSTS": "http://127.0.0.1:9"}
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"):
        environment.pop(name, None)
    command = [sys.executable, "-m", "rxchat", "servers", "--owner", str(os.getpid())]
    with (data / "servers.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    STARTS["Postgres and Valkey"] += 1
    deadline = time.monotonic() + 60
    while (found := endpoints.read(data)) is None:
        assert process.poll() is None, (data / "servers.log").read_text()
        assert time.monotonic() < deadline, "the servers did not start in a minute"
        time.sleep(0.05)
    yield found
    process.terminate()
    process.wait(10)


@pytest.fixture(scope="session")
def database_url(servers: Endpoints) -> str:
    """The URL of a migrated database for the runtime role."""
    assert servers.database_url
    assert servers.database_owner_url
    migrations.upgrade(servers.database_owner_url)
    return servers.database_url


@pytest.fixture(scope="session")
def past_grace(database_url: str) -> None:
    """Wait for the end of the time after Postgres' start in which all leases hold (alembic/sql/is_leased.sql)."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_sleep(extract(epoch FROM greatest(interval '0',"
            " pg_postmaster_start_time() + interval '6 seconds' - clock_timestamp()))::float)"
        )


@pytest.fixture
def owner_url(servers: Endpoints, database_url: str) -> Iterator[str]:
    """The URL of the same database for its owner; no account stays there after the test."""
    assert database_url
    assert servers.database_owner_url
    yield servers.database_owner_url
    with owner.transaction(servers.database_owner_url) as connection:
        left = connection.execute("SELECT EXISTS (SELECT FROM user_account)").fetchone()
    if left == (True,):
        empty(servers.database_owner_url)


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[Database]:
    """The database in one transaction that is rolled back after the test."""
    async with RolledBackDatabase.opened(database_url) as rolled_back:
        yield rolled_back


@pytest.fixture
async def ollama() -> AsyncGenerator[ScriptedOllama]:
    """A scripted model host for this test."""
    async with scripted_ollama() as daemon:
        yield daemon


@pytest.fixture
def at(servers: Endpoints, database_url: str, owner_url: str, ollama: ScriptedOllama) -> Iterator[Connections]:
    """The addresses of this test's servers; the database is emptied after the test."""
    yield Connections(
        database_url=database_url,
        database_owner_url=owner_url,
        redis_url=servers.redis_url,
        ollama_hosts=(ollama.host,),
        demo_hosts=(),
        secret_key=b"k" * 32,
        password_pepper=b"p" * 32,
    )
    empty(owner_url, servers.redis_url)


@pytest.fixture
def settings(tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    """Settings for quick tests: a cheap password hash, timeouts for slow machines, scripted vectors."""
    return Settings.model_validate(
        {
            "RXCHAT_DATA": tmp_path,
            "RXCHAT_BCRYPT_ROUNDS": 4,
            "RXCHAT_FIRST_TOKEN_TIMEOUT_SECONDS": 60,
            "RXCHAT_TOKEN_TIMEOUT_SECONDS": 60,
            "RXCHAT_SECOND_FACTOR": "nobody",
            # A scripted one: the embedded embedding server takes seconds to start.
            "RXCHAT_EMBEDDING_MODEL": "scripted-embed:tokens=256",
            # Six connections to Postgres and a claim for each queue are most of the cost of the services.
            "RXCHAT_ENGINE": request.node.get_closest_marker("without_engine") is None,
        }
    )


@pytest.fixture
async def services(settings: Settings, at: Connections) -> AsyncGenerator[Services]:
    """All services, running on the real database."""
    STARTS["service graph"] += 1
    async with running(settings, at) as found:
        await found.platform.pg_listener.listening.wait()
        yield found


def empty(owner_url: str, redis_url: str | None = None) -> None:
    """Delete all users with their data, and reset rate limits."""
    with owner.transaction(owner_url) as connection:
        for table in ("audit_checkpoint", "audit_event", "user_account", "user_group", "instance_setting"):
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
        for table in (
            "access_grant",
            "account_token",
            "rate_limit",
            "consumed_token",
            "object_deletion",
            "model_provider",
            "quota",
            "model_price",
            "model_setting",
            "host_job",
        ):
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
        connection.execute("DELETE FROM role WHERE NOT is_builtin")
        # Otherwise this test's embedding index is active in the next test.
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('rxchat embedding index'))")
        for (index,) in connection.execute("DELETE FROM embedding_index RETURNING id").fetchall():
            connection.execute(
                sql.SQL("DROP INDEX IF EXISTS {}").format(sql.Identifier(f"ix_chunk_vector_hnsw_{index}"))
            )
    if redis_url:
        with redis.Redis.from_url(redis_url) as client:
            client.flushdb()


@pytest.fixture
async def current_user(services: Services, owner_url: str) -> CurrentUser:
    """A signed-in user."""
    assert services
    return add_user(owner_url)


@pytest.fixture
async def broadcast(servers: Endpoints) -> AsyncGenerator[RedisBroadcast]:
    """The broadcast through the real Valkey."""
    assert servers.redis_url
    found = RedisBroadcast(servers.redis_url)
    yield found
    await found.aclose()
