"""A supervised child process: started, watched, restarted when it ends or falls silent, and stopped."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from rxchat.embedded import process, progress
from rxchat.embedded.errors import StartFailed
from rxchat.embedded.progress import Report, TaskLine
from rxchat.observability import LARGEST_LOG_BYTES

log = structlog.get_logger(__name__)

_QUOTED_LINES = 8
_FIRST_DELAY_SECONDS = 0.5
_LONGEST_DELAY_SECONDS = 30.0
# One that ran this long starts over with the shortest delay.
_STEADY_SECONDS = 60.0
_HEALTH_TIMEOUT_SECONDS = 10.0
_TELL_EVERY_SECONDS = 1.0
# A start that takes no longer needs no line.
_QUICK_SECONDS = 4.0


@dataclass
class Child:
    """What to run, and how to know that it runs well."""

    name: str
    command: Sequence[str | Path]
    env: Mapping[str, str] | None = None
    """Its whole environment; None: ours."""
    user: process.RunAs | None = None
    """Who it runs as; None: who we are."""
    healthy: Callable[[], Awaitable[None]] | None = None
    """Returns when it answers, raises OSError (or StartFailed) while it does not; None: running is enough."""
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    """What the kernel sends it when we die."""
    log_file: Path | None = None
    """Default: logs/<name>.log in the data folder."""
    folder: Path | None = None
    # For a small machine that is busy: a process that ends is noticed at once, however long this is.
    start_seconds: float = 180.0
    """How long it may take until it is healthy."""
    health_interval_seconds: float = 10.0
    silent_seconds: float = 60.0
    """How long it may fail its health check before it is restarted."""
    label: str = ""
    """What users know it as; default: its name."""
    stage: Callable[[], str] | None = None
    """Returns what it does while it starts, in a few words."""


class SupervisedProcess:
    """One child that is kept running."""

    def __init__(self, child: Child, logs: Path, report: Report) -> None:
        """Prepare to run a child; its log goes to the folder of logs unless it names another."""
        self.child = child
        self.is_healthy = asyncio.Event()
        self._log_file = child.log_file or logs / f"{child.name}.log"
        self._report = report
        self._label = child.label or child.name
        self._told_since: float | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._log_begin = 0
        self._healthy_since = 0.0

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if running and self._process else None

    async def start(self) -> None:
        """Run it and wait until it is healthy.

        Raises:
            StartFailed: it ended, or was not healthy in time; the end of its log is quoted.
        """
        self._process = await self._spawn()
        telling = asyncio.create_task(self._tell_of_the_start())
        try:
            await asyncio.wait_for(self._until_healthy(self._process), self.child.start_seconds)
        except TimeoutError:
            await self.stop(1.0)
            raise StartFailed(self._start_failure(f"did not answer within {self.child.start_seconds:.0f} s")) from None
        finally:
            telling.cancel()
        self._tell_of_the_end()
        self._healthy_since = time.monotonic()
        self.is_healthy.set()
        log.info("child_started", child=self.child.name, pid=self._process.pid)

    async def keep(self) -> None:
        """Restart it whenever it ends or falls silent, with growing delays; runs until cancelled."""
        failures = 0
        while True:
            reason = await self._trouble()
            self.is_healthy.clear()
            if time.monotonic() - self._healthy_since > _STEADY_SECONDS:
                failures = 0
            while not self.is_healthy.is_set():
                delay = min(_LONGEST_DELAY_SECONDS, _FIRST_DELAY_SECONDS * 2**failures)
                failures += 1
                log.warning("child_restarts", child=self.child.name, reason=reason, delay_seconds=delay)
                self._report(f"{self.child.name} {reason}; it is started again in {delay:g} s (log: {self._log_file}).")
                await asyncio.sleep(delay)
                try:
                    await self.start()
                except StartFailed as failure:
                    reason = failure.message
            self._report(f"{self.child.name} is back.")

    async def _tell_of_the_start(self) -> None:
        """Say how long it takes already, and what it does."""
        began, stage = time.monotonic(), self.child.stage
        if stage is not None:
            self._told_since = began
            self._report(TaskLine(f"Starting {self._label} ...", self.child.name))
        await asyncio.sleep(_TELL_EVERY_SECONDS if stage else _QUICK_SECONDS)
        while True:
            self._told_since = began
            doing = stage() if stage else ""
            words = f"; {doing}" if doing else ""
            line = f"{time.monotonic() - began:.0f} s so far{words}{progress.busy_note()}"
            self._report(TaskLine(f"Starting {self._label}: {line} ...", self.child.name))
            await asyncio.sleep(_TELL_EVERY_SECONDS)

    def _tell_of_the_end(self) -> None:
        if self._told_since is not None:
            line = f"Started {self._label} in {time.monotonic() - self._told_since:.0f} s."
            self._report(TaskLine(line, self.child.name, is_done=True))
        self._told_since = None

    async def stop(self, seconds: float) -> None:
        """End it: politely, and after so many seconds without asking."""
        self.is_healthy.clear()
        if self._process is None:
            return
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(self.child.stop_signal)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), seconds)
        self._kill_group(self._process.pid)
        await self._process.wait()

    async def _spawn(self) -> asyncio.subprocess.Process:
        """Fork it with its own session, so that Ctrl-C reaches us alone and its children can be ended with it."""
        child, user = self.child, self.child.user
        self._rotate_log()
        with self._log_file.open("ab") as log_stream:
            self._log_begin = log_stream.tell()
            try:
                return await asyncio.create_subprocess_exec(
                    *child.command,
                    stdin=subprocess.DEVNULL,
                    stdout=log_stream,
                    stderr=subprocess.STDOUT,
                    env=dict(child.env) if child.env is not None else None,
                    cwd=child.folder,
                    start_new_session=True,
                    preexec_fn=process.before_exec(child.death_signal),
                    **process.become(user),
                )
            except OSError as error:
                raise StartFailed(f"{child.name} cannot be run ({error.strerror}): {child.command[0]}") from error

    def _rotate_log(self) -> None:
        """Keep what the log holds as `.old` when it is large, and begin a new one.

        The file itself is emptied, not moved: a running child goes on writing to it (it appends).
        """
        if not self._log_file.exists() or self._log_file.stat().st_size <= LARGEST_LOG_BYTES:
            return
        with suppress(OSError):
            # A disk that is full is no reason to let the log grow.
            shutil.copyfile(self._log_file, self._log_file.with_name(self._log_file.name + ".old"))
        os.truncate(self._log_file, 0)
        self._log_begin = 0

    async def _until_healthy(self, running: asyncio.subprocess.Process) -> None:
        """Ask until it answers."""
        while True:
            with suppress(OSError, StartFailed, TimeoutError):
                if self.child.healthy is None:
                    return
                await asyncio.wait_for(self.child.healthy(), _HEALTH_TIMEOUT_SECONDS)
                # Whoever answered may have been another server on the same port, when ours is gone.
                await asyncio.sleep(0)
                if running.returncode is None:
                    return
            if running.returncode is not None:
                self._kill_group(running.pid)
                raise StartFailed(self._start_failure(_ending(running.returncode)))
            with suppress(TimeoutError):
                await asyncio.wait_for(running.wait(), 0.05)

    async def _trouble(self) -> str:
        """Wait until it ends or is silent for too long, and say which."""
        if self._process is None:
            return "was not started"
        silent_since: float | None = None
        while True:
            with suppress(TimeoutError):
                code = await asyncio.wait_for(self._process.wait(), self.child.health_interval_seconds)
                self._kill_group(self._process.pid)
                return _ending(code)
            await asyncio.to_thread(self._rotate_log)
            if self.child.healthy is None:
                continue
            try:
                await asyncio.wait_for(self.child.healthy(), _HEALTH_TIMEOUT_SECONDS)
                silent_since = None
            except (OSError, StartFailed, TimeoutError) as error:
                log.warning("child_silent", child=self.child.name, error=str(error))
                silent_since = silent_since or time.monotonic()
                if time.monotonic() - silent_since > self.child.silent_seconds:
                    await self.stop(2.0)
                    return f"did not answer for {self.child.silent_seconds:.0f} s"

    def _kill_group(self, pid: int) -> None:
        """End what it left behind."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)

    def _start_failure(self, what: str) -> str:
        """A sentence about a failed start, with the last lines of the log."""
        with self._log_file.open("rb") as file:
            file.seek(max(self._log_begin, self._log_file.stat().st_size - 4000))
            lines = file.read().decode(errors="replace").strip().splitlines()[-_QUOTED_LINES:]
        quoted = "\n  ".join(["", *lines]) if lines else " it is empty."
        return f"{self.child.name} {what}. The end of its log {self._log_file}:{quoted}"


def _ending(code: int) -> str:
    """How a process ended, in words."""
    return f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
