"""The embedded embedding server, for processes that embed texts and whose supervisor runs no server.

The first process of a data folder that needs it starts a server as its child and writes its address for the others.
When that process ends, its child ends too, and the next process that needs it starts another.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

import httpx
import structlog

from rxchat.embedded import data_folder, loopback, models, process, weights
from rxchat.embedded.child import SupervisedProcess
from rxchat.embedded.errors import EmbeddedError, StartFailed
from rxchat.embedded.progress import to_log

log = structlog.get_logger(__name__)

_PATIENCE_SECONDS = 120.0
_LOOK_SECONDS = 0.2
_ANSWER_SECONDS = 2.0
_STOP_SECONDS = 2.0


class LocalEmbedder:
    """Starts the embedding server, or finds the one that another process of this data folder started."""

    def __init__(self, data: Path) -> None:
        """Configure the data folder; `url` starts the server."""
        self._data = data
        self._address = data / "run" / "embedder.json"
        self._starting = asyncio.Lock()
        self._lock: IO[str] | None = None
        self._child: SupervisedProcess | None = None

    async def url(self) -> str:
        """Return the server's address, in the form of OLLAMA_HOSTS; starts the server if it is not running.

        Raises:
            EmbeddedError: if it cannot run here.
        """
        async with self._starting:
            data_folder.create(self._data)
            give_up_at = time.monotonic() + _PATIENCE_SECONDS
            while time.monotonic() < give_up_at:
                if (found := await self._running()) is not None:
                    return found
                if self._take_lock():
                    return await self._start()
                await asyncio.sleep(_LOOK_SECONDS)
        raise StartFailed("The embedding model did not start: another process on this machine is still starting it.")

    async def aclose(self) -> None:
        """Stop the server if it is a child of this process."""
        if self._child is not None:
            await self._child.stop(_STOP_SECONDS)
            self._child = None
        self._release()

    async def _running(self) -> str | None:
        told = data_folder.read_json(self._address)
        address = told.get("url") if told else None
        if not isinstance(address, str):
            return None
        async with loopback.client(timeout=_ANSWER_SECONDS) as client:
            try:
                (await client.get(f"{address}/api/version")).raise_for_status()
            except httpx.HTTPError:
                return None
        return address

    async def _start(self) -> str:
        try:
            if self._child is not None:
                # It hangs, or has ended.
                await self._child.stop(_STOP_SECONDS)
            models.check_cpu()
            models.check_libraries()
            folder, logs = self._data / "models", self._data / "logs"
            await models.prepare(folder, logs, to_log, (weights.EMBEDDER,))
            port = process.free_port()
            self._child = SupervisedProcess(models.child(folder, port, embedder_only=True), logs, to_log)
            await self._child.start()
        except (EmbeddedError, OSError):
            self._release()
            raise
        address = models.url(port)
        data_folder.write_private(self._address, {"url": address, "pid": os.getpid()})
        return address

    def _take_lock(self) -> bool:
        """Try to take the lock that lets this process run the server; the kernel releases it at its end."""
        if self._lock is not None:
            return True
        file = (self._data / "run" / "embedder.lock").open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._lock = file
        return True

    def _release(self) -> None:
        if self._lock is not None:
            with suppress(FileNotFoundError):
                self._address.unlink()
            self._lock.close()
            self._lock = None
