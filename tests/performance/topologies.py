"""RxChat as several processes: the embedded servers alone, two web processes, and a worker that writes the answers."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

from rxchat.connections import Connections, connections
from rxchat.embedded import endpoints, secrets
from rxchat.embedded.postgres import DATABASE
from rxchat.settings import Settings
from tests.performance.processes import command_of, environment, family, python, running
from tests.performance.stage import settings_of, until, until_answering, web_processes
from tests.ports import free_port

WEB_PROCESSES = 2
_ESTABLISHED = "01"


@dataclass(frozen=True, slots=True)
class Spread:
    """Where everything is."""

    url: str
    at: Connections
    servers: int
    """The process that keeps Postgres and Valkey."""
    web: tuple[int, ...]
    """The process that serves, and those that it forked."""

    def tabs_of_each(self) -> list[int]:
        """Return how many connections each process that serves has."""
        port = int(self.url.rpartition(":")[2])
        return [_connections(pid, port) for pid in self.web[1:]]

    def valkey(self) -> int:
        """Return Valkey's process id."""
        return next(pid for pid in family(self.servers) if "valkey-server" in command_of(pid))


@asynccontextmanager
async def servers(data: Path, settings: dict[str, str]) -> AsyncGenerator[int]:
    """Run the embedded servers alone; gives the process that keeps them."""
    log = data.with_suffix(".servers.log")
    command = python("rxchat", "servers", "--owner", str(os.getpid()))
    async with running(command, log, environment(**settings)) as process:

        async def is_there() -> bool:
            return endpoints.path(data).exists()

        await until(is_there, process, log)
        yield process.pid


@asynccontextmanager
async def spread(data: Path, ollama: str, *, redis_url: str = "") -> AsyncGenerator[Spread]:
    """Run two web processes that write nothing and one worker that does, on a data folder."""
    port = free_port()
    ours = {"RXCHAT_DATA": str(data), "RXCHAT_PORT": str(port), "OLLAMA_HOSTS": ollama}
    ours |= {"REDIS_URL": redis_url} if redis_url else {}
    env = environment(**ours)
    log, worker_log = data.with_suffix(".web.log"), data.with_suffix(".worker.log")
    worker_log.unlink(missing_ok=True)
    web_command = python("rxchat", "web", "--workers", str(WEB_PROCESSES), "--no-engine")

    async def is_writing() -> bool:
        return "writes answers" in worker_log.read_text()

    async with servers(data, ours) as keeper:
        async with running(python("rxchat", "migrate"), log, env) as migrating:
            await migrating.wait()
        async with (
            running(web_command, log, env) as web,
            running(python("rxchat", "worker"), worker_log, env) as worker,
        ):
            url = f"http://127.0.0.1:{port}"
            await until_answering(f"{url}/readyz", web, log)
            await until(is_writing, worker, worker_log)
            settings = settings_of(data, ollama)
            if redis_url:
                settings = Settings.model_validate(
                    {"RXCHAT_DATA": data, "OLLAMA_HOSTS": ollama, "REDIS_URL": redis_url}
                )
            yield Spread(url, connections(settings), keeper, web_processes(web.pid))


async def count_statements(data: Path, ollama: str) -> None:
    """Let the Postgres of a data folder count its statements from its next start on."""
    async with servers(data, {"RXCHAT_DATA": str(data), "OLLAMA_HOSTS": ollama}):
        with psycopg.connect(superuser_url(data), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'")


def superuser_url(data: Path) -> str:
    """Return the address of an embedded database for its superuser."""
    running_at = endpoints.read(data)
    if running_at is None or not running_at.database_owner_url:
        raise RuntimeError("the embedded database is not running")
    host = running_at.database_owner_url.rpartition("@")[2].partition("/")[0]
    return f"postgresql://postgres:{secrets.load_or_create(data).postgres_superuser_password}@{host}/{DATABASE}"


def _connections(pid: int, port: int) -> int:
    inodes: set[str] = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            inodes.add(str(entry.readlink()).removeprefix("socket:[").rstrip("]"))
    rows = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return sum(row[1].endswith(f":{port:04X}") and row[3] == _ESTABLISHED and row[9] in inodes for row in rows)
