"""`python -m rxchat doctor`: checks a running installation without changing it.

It tests what RxChat needs of each component: Postgres responds, delivers notifications, and has a worker for its queued
answers; Redis delivers messages; model hosts offer models; the disk has free space.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import statistics
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from uuid import uuid4

import psycopg
from psycopg import AsyncConnection

from rxchat import checks
from rxchat.adapter_factories import object_store, openai_chat_model
from rxchat.adapters.ollama import OllamaChatModel
from rxchat.adapters.outgoing_proxies import proxy_for, without_credentials
from rxchat.adapters.parsing import SandboxedParser
from rxchat.adapters.redis_broadcast import RedisBroadcast
from rxchat.connections import Connections, connections
from rxchat.db.platform import migrations, poolers, prerequisites
from rxchat.db.platform.database import LINE, Database, libpq_url
from rxchat.db.platform.notifications import CHANNEL
from rxchat.domain.errors import DocumentUnreadable, ModelError, RxChatError
from rxchat.domain.runs import LEASE_SECONDS
from rxchat.services.documents.storage_ownership import StorageOwnership
from rxchat.settings import Settings

_PATIENCE_SECONDS = 5.0
_TRIPS = 20
_SLOW_TRIP_MILLISECONDS = 20.0
_SKEW_SECONDS = 2.0
_LEAST_ROOM_BYTES = 2_000_000_000
_RUNS = """
    SELECT count(*) FILTER (WHERE is_leased(state, lease_until)) AS written,
           count(*) FILTER (WHERE state = 'queued') AS waiting,
           count(*) FILTER (WHERE state = 'running' AND NOT is_leased(state, lease_until)) AS orphaned,
           extract(epoch FROM max(clock_timestamp() - coalesce(lease_until, created_at))
               FILTER (WHERE NOT is_leased(state, lease_until)))::float AS longest
      FROM run WHERE state IN ('queued', 'running')
"""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The state of one component, and the remedy if something is wrong."""

    part: str
    seen: str
    remedy: str = ""

    @property
    def is_well(self) -> bool:
        """Whether no remedy is needed."""
        return not self.remedy


def doctor(settings: Settings, _chosen: argparse.Namespace) -> int:
    """Print the state of all components; return 1 if any needs a remedy."""
    found = asyncio.run(examined(settings, connections(settings)))
    for diagnosis in found:
        print(f"{'fine' if diagnosis.is_well else 'LOOK':<5} {diagnosis.part}: {diagnosis.seen}")
        if diagnosis.remedy:
            print(f"      {diagnosis.remedy}")
    ill = sum(not diagnosis.is_well for diagnosis in found)
    print(f"\n{ill} of {len(found)} parts need attention." if ill else "\nEverything is fine.")
    sys.stdout.flush()
    return 1 if ill else 0


async def examined(settings: Settings, at: Connections) -> list[Diagnosis]:
    """Check every component, even if others fail."""
    looks: list[Callable[[], Awaitable[Diagnosis]]] = [
        lambda: _settings(settings),
        lambda: _database(at),
        lambda: _migrations(at),
        lambda: _notices(at),
        lambda: _answers(at),
        lambda: _redis(at),
        *(lambda host=host: _model_host(host) for host in at.ollama_hosts),
        *(lambda name=name: _provider(settings, name) for name in settings.openai_hosts),
        lambda: _files(settings, at),
        _documents,
        lambda: _disk(settings),
    ]
    return [await look() for look in looks]


async def _settings(settings: Settings) -> Diagnosis:
    errors = sum(finding.severity == "error" for checked in checks.run_checks(settings) for finding in checked.findings)
    remedy = "Run `python -m rxchat check`: it says which, and what to do." if errors else ""
    return Diagnosis("settings", f"{errors} errors" if errors else "no errors", remedy)


async def _asked(at: Connections) -> AsyncConnection:
    return await AsyncConnection.connect(libpq_url(at.database_owner_url), autocommit=True, **LINE)


def _away(part: str, error: Exception) -> Diagnosis:
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    return Diagnosis(part, f"does not respond ({reason})", "Check that Postgres is running, and DATABASE_URL.")


async def _database(at: Connections) -> Diagnosis:
    try:
        if problem := await asyncio.to_thread(prerequisites.encoding_problem, at.database_url):
            return Diagnosis("database", problem, "Move the tables there with pg_dump and pg_restore.")
        if await asyncio.to_thread(poolers.is_pooled, at.database_url):
            return Diagnosis("database", f"DATABASE_URL {poolers.PROBLEM}", poolers.REMEDY)
        async with asyncio.timeout(_PATIENCE_SECONDS), await _asked(at) as connection:
            trips: list[float] = []
            skew = 0.0
            for _ in range(_TRIPS):
                began = time.perf_counter()
                row = await (await connection.execute("SELECT extract(epoch FROM clock_timestamp())::float")).fetchone()
                trips.append((time.perf_counter() - began) * 1000)
                skew = abs(time.time() - row[0]) if row else 0.0
    except (psycopg.Error, TimeoutError) as error:
        return _away("database", error)
    trip = statistics.median(trips)
    seen = f"answers in {trip:.1f} ms; its clock is {skew:.1f} s from this machine's"
    if skew > _SKEW_SECONDS:
        return Diagnosis("database", seen, "Synchronize both clocks (NTP): links and sessions expire by them.")
    if trip > _SLOW_TRIP_MILLISECONDS:
        return Diagnosis("database", seen, "Each message needs about ten round trips: move the two closer together.")
    return Diagnosis("database", seen)


async def _migrations(at: Connections) -> Diagnosis:
    newest = migrations.newest_revision()
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS), await _asked(at) as connection:
            row = await (await connection.execute("SELECT version_num FROM alembic_version")).fetchone()
    except psycopg.errors.UndefinedTable:
        row = None
    except (psycopg.Error, TimeoutError) as error:
        return _away("schema", error)
    revision = row[0] if row else "nothing"
    remedy = "" if revision == newest else "Run: python -m rxchat migrate"
    return Diagnosis("schema", f"is at {revision}, this code needs {newest}", remedy)


async def _notices(at: Connections) -> Diagnosis:
    """Check that notifications arrive at another connection, which a pooler may prevent."""
    word = f"doctor {uuid4()}"
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS), await _asked(at) as listening, await _asked(at) as telling:
            await listening.execute(f"LISTEN {CHANNEL}")
            began = time.perf_counter()
            await telling.execute("SELECT pg_notify(%s, %s)", (CHANNEL, word))
            async with aclosing(_heard(listening)) as heard:
                async for payload in heard:
                    if payload == word:
                        break
    except TimeoutError:
        return Diagnosis(
            "notices",
            "do not arrive",
            "A connection pooler must use session pooling, or be removed: LISTEN needs a session.",
        )
    except psycopg.Error as error:
        return _away("notices", error)
    return Diagnosis("notices", f"arrive after {(time.perf_counter() - began) * 1000:.1f} ms")


async def _heard(connection: AsyncConnection) -> AsyncGenerator[str]:
    async for notice in connection.notifies():
        yield notice.payload


async def _answers(at: Connections) -> Diagnosis:
    """Check that queued answers do not wait for longer than a lease, which shows that a worker runs."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS), await _asked(at) as connection:
            row = await (await connection.execute(_RUNS)).fetchone()
    except (psycopg.Error, TimeoutError) as error:
        return _away("answers", error)
    written, waiting, orphaned, longest = row or (0, 0, 0, None)
    seen = f"{written} in progress, {waiting} queued, {orphaned} without an engine"
    if not written and (longest or 0) > 2 * LEASE_SECONDS:
        remedy = "No worker is writing answers. Start one (python -m rxchat worker), or check its log."
        return Diagnosis("answers", f"{seen}; the first for {longest:.0f} s", remedy)
    return Diagnosis("answers", seen)


async def _redis(at: Connections) -> Diagnosis:
    if at.redis_url is None:
        return Diagnosis("redis", "is not set; processes read each other's tokens from Postgres, slightly later")
    broadcast = RedisBroadcast(at.redis_url)
    channel, word = f"doctor:{uuid4()}", b"doctor"
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS), broadcast.subscribe(channel) as messages:
            began = time.perf_counter()
            if await broadcast.publish(channel, word) == 0:
                raise TimeoutError
            await anext(messages)
    except TimeoutError:
        return Diagnosis(
            "redis",
            "does not deliver messages",
            "Answers still stream, but slower. Check REDIS_URL, and that Redis is running.",
        )
    finally:
        await broadcast.aclose()
    return Diagnosis("redis", f"delivers messages within {(time.perf_counter() - began) * 1000:.1f} ms")


async def _model_host(host: str) -> Diagnosis:
    model = OllamaChatModel([host])
    try:
        offered = await model.models()
    except ModelError as error:
        return Diagnosis(
            "model host", error.detail or error.message, "Start Ollama there, or remove the host from OLLAMA_HOSTS."
        )
    finally:
        await model.aclose()
    where = offered[0].host if offered else "the host"
    proxy = proxy_for(host)
    through = f", through the proxy {without_credentials(proxy)} of the environment" if proxy else ""
    remedy = "" if offered else "Install one, for example: ollama pull llama3.2"
    return Diagnosis("model host", f"{where} offers {len(offered)} models{through}", remedy)


async def _provider(settings: Settings, name: str) -> Diagnosis:
    model = openai_chat_model(settings, name)
    try:
        offered = [item for item in await model.models() if item.can_chat]
    except ModelError as error:
        remedy = f"Check {name} in OPENAI_HOSTS and OPENAI_KEYS, and that the server is running."
        return Diagnosis("model provider", error.detail or error.message, remedy)
    finally:
        await model.aclose()
    remedy = "" if offered else "Load a chat model there."
    return Diagnosis("model provider", f"{name} offers {len(offered)} chat models", remedy)


async def _files(settings: Settings, at: Connections) -> Diagnosis:
    where = settings.s3_endpoint or str(settings.data / "files")
    try:
        store, database = object_store(settings), Database(at.database_url)
        try:
            await store.ping()
            await StorageOwnership(database, store).is_claimed()
        finally:
            await store.aclose()
            await database.aclose()
    except RxChatError as error:
        return Diagnosis("files", f"{where} cannot be used", error.message)
    return Diagnosis("files", f"are kept in {where}")


async def _documents() -> Diagnosis:
    """Parse a small document in the sandbox."""

    async def content() -> AsyncGenerator[bytes]:
        yield b"hello"

    parser = SandboxedParser()
    try:
        await parser.parse("hello.txt", "", content())
    except DocumentUnreadable as error:
        return Diagnosis("documents", "cannot be read", error.message)
    scans = "OCR is installed" if parser.can_recognise else "OCR is not installed (make run OCR=1)"
    if parser.missing_barriers:
        seen = f"are parsed without {', '.join(sorted(parser.missing_barriers))}; {scans}"
        return Diagnosis(
            "documents", seen, "Use Linux 5.13 or newer, in a container that may use Landlock and seccomp."
        )
    return Diagnosis("documents", f"are parsed in a sandboxed process; {scans}")


async def _disk(settings: Settings) -> Diagnosis:
    place = next(folder for folder in (settings.data, *settings.data.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    remedy = "Free some space: Postgres refuses writes when the disk is full." if free < _LEAST_ROOM_BYTES else ""
    return Diagnosis("disk", f"{free / 1e9:,.1f} GB free at {place}", remedy)
