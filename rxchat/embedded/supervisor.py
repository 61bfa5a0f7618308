"""The supervisor: prepares, starts, watches and stops the servers that the settings do not replace.

Children are forked from the main thread, which runs asyncio: the kernel kills them when that thread ends for any
reason. Linux only; on other systems, children survive a kill -9 of the supervisor.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import structlog

from rxchat.embedded import data_folder, endpoints, models, process, secrets, valkey, weights
from rxchat.embedded.child import Child, SupervisedProcess
from rxchat.embedded.endpoints import Endpoints
from rxchat.embedded.postgres import Postgres
from rxchat.embedded.progress import Report, to_log
from rxchat.settings import Settings

__all__ = ["Child", "Supervisor"]

log = structlog.get_logger(__name__)

_STOP_SECONDS = 3.6
_ADDED_STOP_SECONDS = 2.0


class Supervisor:
    """Runs the servers of one data folder.

    Use `await start()`, `add(...)` children that need the servers, `await run_until(stop)`, and always `await stop()`.
    """

    def __init__(self, settings: Settings, report: Report = to_log) -> None:
        """Configure the servers; `start` starts them. `report` gets lines for users."""
        self._settings = settings
        self._data = settings.data
        self._report = report
        self._hold: data_folder.DirectoryLock | None = None
        self._servers: list[SupervisedProcess] = []
        self._added: list[SupervisedProcess] = []
        self._keeping: list[asyncio.Task[None]] = []
        self._failed: asyncio.Future[None] | None = None
        self._stopping = asyncio.Lock()
        self._is_stopped = False

    async def start(self) -> Endpoints:
        """Prepare and start the servers that the settings do not replace, and wait until all are healthy.

        Raises:
            EmbeddedError: if one cannot run; the others are stopped again.
        """
        self._failed = asyncio.get_running_loop().create_future()
        begin = time.monotonic()
        try:
            data_folder.create(self._data)
            self._hold = data_folder.DirectoryLock(self._data)
            found = await self._start_servers()
        except BaseException:
            await self.stop()
            raise
        for kept in self._servers:
            self._keep(kept.keep())
        for kept in self._added:
            self._keep(self._start_and_keep(kept))
        log.info("servers_started", seconds=round(time.monotonic() - begin, 2))
        return found

    def add(self, child: Child) -> None:
        """Start another child once the servers run; if its first start fails, `run_until` raises."""
        kept = SupervisedProcess(child, self._data / "logs", self._report)
        self._added.append(kept)
        if endpoints.path(self._data).exists() and self._failed is not None and not self._is_stopped:
            self._keep(self._start_and_keep(kept))

    async def until_healthy(self, name: str) -> None:
        """Wait until the child with this name is healthy."""
        kept = next(kept for kept in (*self._servers, *self._added) if kept.child.name == name)
        await kept.is_healthy.wait()

    def pids(self) -> dict[str, int]:
        """Return the process IDs of the running children by name."""
        running = {kept.child.name: kept.pid for kept in (*self._servers, *self._added)}
        return {name: pid for name, pid in running.items() if pid is not None}

    async def run_until(self, stop: asyncio.Event) -> None:
        """Keep the children running until `stop` is set; does not stop them.

        Raises:
            StartFailed: if the first start of an added child failed.
        """
        if self._failed is None:
            raise RuntimeError("the supervisor was not started")
        stopping = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait({stopping, self._failed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
        if self._failed.done() and not stop.is_set():
            self._failed.result()

    async def stop(self) -> None:
        """Stop all children within 4 s, those that use the servers first, and release the data folder."""
        async with self._stopping:
            if self._is_stopped:
                return
            self._is_stopped = True
            deadline = time.monotonic() + _STOP_SECONDS
            for task in self._keeping:
                task.cancel()
            await asyncio.gather(*self._keeping, return_exceptions=True)
            share = _ADDED_STOP_SECONDS / max(1, len(self._added))
            for kept in reversed(self._added):
                await kept.stop(share)
            # The servers do not use one another, so they can stop at the same time.
            await asyncio.gather(*(kept.stop(max(0.1, deadline - time.monotonic())) for kept in self._servers))
            with suppress(FileNotFoundError):
                if self._hold is not None:
                    endpoints.path(self._data).unlink()
            if self._hold is not None:
                self._hold.release()
                self._hold = None
            if self._failed is not None and not self._failed.done():
                self._failed.cancel()

    async def _start_servers(self) -> Endpoints:
        """Check all requirements first, then prepare and start the servers concurrently."""
        settings, data = self._settings, self._data
        known = secrets.load_or_create(data)
        ports = self._ports()
        valkey_at = valkey.endpoint(data, ports["valkey"], wants_port=bool(settings.valkey_port))
        postgres = Postgres(data, ports["postgres"], known, process.unprivileged_user(data / "postgres"))
        with_postgres, with_valkey = settings.database_url is None, settings.redis_url is None
        with_models = settings.needs_demo_model
        with suppress(FileNotFoundError):
            endpoints.path(data).unlink()
        if with_postgres:
            postgres.check()
        if with_models:
            models.check_cpu()
            models.check_libraries()
            weights.missing(data / "models")
        work: list[Coroutine[Any, Any, None]] = []
        if with_postgres:
            work.append(self._start_postgres(postgres))
        if with_valkey:
            work.append(self._start_server(valkey.child(data, valkey_at, known)))
        if with_models:
            work.append(self._start_models(ports["models"]))
        await _all_or_none(work)
        found = Endpoints(
            database_url=postgres.web_url if with_postgres else None,
            database_owner_url=postgres.owner_url if with_postgres else None,
            redis_url=valkey_at.url(known) if with_valkey else None,
            ollama_hosts=(models.url(ports["models"]),) if with_models else (),
        )
        endpoints.write(data, found)
        return found

    def _ports(self) -> dict[str, int]:
        """Return the servers' ports: from the settings, else those of the last start, else free ones."""
        path = self._data / "run" / "ports.json"
        last = data_folder.read_json(path) or {}
        chosen = {
            "postgres": self._settings.postgres_port or process.free_port(last.get("postgres")),
            "valkey": self._settings.valkey_port or process.free_port(last.get("valkey")),
            "models": self._settings.models_port or process.free_port(last.get("models")),
        }
        data_folder.write_private(path, chosen)
        return chosen

    async def _start_server(self, child: Child) -> None:
        """Start one server and keep it running; raises if the first start fails."""
        kept = SupervisedProcess(child, self._data / "logs", self._report)
        self._servers.append(kept)
        await kept.start()

    async def _start_postgres(self, postgres: Postgres) -> None:
        """Create the cluster, start Postgres, and create the roles and the database."""
        await self._start_server(await postgres.prepare(self._report))
        await postgres.provision(self._report)

    async def _start_models(self, port: int) -> None:
        """Prepare the weights and start the models."""
        folder = self._data / "models"
        await models.prepare(folder, self._data / "logs", self._report)
        await models.wait_for_port(port)
        await self._start_server(models.child(folder, port))

    async def _start_and_keep(self, kept: SupervisedProcess) -> None:
        """Start an added child, and keep it running."""
        await kept.start()
        await kept.keep()

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a watcher in the background; if it fails, `run_until` raises."""
        task = asyncio.ensure_future(work)
        task.add_done_callback(self._noted)
        self._keeping.append(task)

    def _noted(self, task: asyncio.Task[None]) -> None:
        """Pass a watcher's failure to `run_until`."""
        if task.cancelled() or self._failed is None or self._failed.done():
            return
        error = task.exception()
        if error is not None:
            self._failed.set_exception(error)


async def _all_or_none(work: list[Coroutine[Any, Any, None]]) -> None:
    """Run coroutines concurrently; if one fails, cancel the others and raise its error."""
    tasks = [asyncio.ensure_future(part) for part in work]
    if not tasks:
        return
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
