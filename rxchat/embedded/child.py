"""Supervises a child process: starts it, checks its health, restarts it when it ends or hangs, and stops it."""

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
# After a run of this length, the next restart has the shortest delay again.
_STEADY_SECONDS = 60.0
_HEALTH_TIMEOUT_SECONDS = 10.0
_TELL_EVERY_SECONDS = 1.0
# A start that takes no longer is not reported.
_QUICK_SECONDS = 4.0


@dataclass
class Child:
    """The command of a child process, and its health check."""

    name: str
    command: Sequence[str | Path]
    env: Mapping[str, str] | None = None
    """The whole environment; None: that of this process."""
    user: process.RunAs | None = None
    """The user that runs it; None: the user of this process."""
    healthy: Callable[[], Awaitable[None]] | None = None
    """The health check: raises OSError or StartFailed if the child does not answer; None: no check."""
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    """The signal that the kernel sends it when this process dies."""
    log_file: Path | None = None
    """Default: logs/<name>.log in the data folder."""
    folder: Path | None = None
    # Long enough for a small, busy machine: the end of a process is noticed at once in any case.
    start_seconds: float = 180.0
    """The time until the first successful health check."""
    health_interval_seconds: float = 10.0
    silent_seconds: float = 60.0
    """The time for which health checks may fail before a restart."""
    label: str = ""
    """The name in messages to users; default: `name`."""
    stage: Callable[[], str] | None = None
    """Returns a few words about what it is doing while it starts."""


class SupervisedProcess:
    """Keeps one child running."""

    def __init__(self, child: Child, logs: Path, report: Report) -> None:
        """Write the child's log to the folder `logs`, unless the child names another file."""
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
        """The process ID while it runs."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if running and self._process else None

    async def start(self) -> None:
        """Start the child and wait until it is healthy.

        Raises:
            StartFailed: if it ended, or was not healthy in time; the message quotes the end of its log.
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
        """Restart the child when it ends or hangs, with growing delays. Runs until cancelled."""
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
        """Report regularly how long the start takes and what the child is doing."""
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
        """Send the stop signal, and SIGKILL after `seconds`."""
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
        """Start it in its own session, so that only this process gets Ctrl-C, and its group can be killed."""
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
        """Copy a large log to `.old` and empty it.

        The file is emptied, not renamed, since a running child appends to it.
        """
        if not self._log_file.exists() or self._log_file.stat().st_size <= LARGEST_LOG_BYTES:
            return
        with suppress(OSError):
            # The log must not grow even if the disk is too full for the copy.
            shutil.copyfile(self._log_file, self._log_file.with_name(self._log_file.name + ".old"))
        os.truncate(self._log_file, 0)
        self._log_begin = 0

    async def _until_healthy(self, running: asyncio.subprocess.Process) -> None:
        """Repeat the health check until it succeeds."""
        while True:
            with suppress(OSError, StartFailed, TimeoutError):
                if self.child.healthy is None:
                    return
                await asyncio.wait_for(self.child.healthy(), _HEALTH_TIMEOUT_SECONDS)
                # If the child has ended, another server on the same port may have answered.
                await asyncio.sleep(0)
                if running.returncode is None:
                    return
            if running.returncode is not None:
                self._kill_group(running.pid)
                raise StartFailed(self._start_failure(_ending(running.returncode)))
            with suppress(TimeoutError):
                await asyncio.wait_for(running.wait(), 0.05)

    async def _trouble(self) -> str:
        """Wait until the child ends or hangs, and return the reason."""
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
        """Kill the processes that the child left behind."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)

    def _start_failure(self, what: str) -> str:
        """Return a message about a failed start, with the last lines of the log."""
        with self._log_file.open("rb") as file:
            file.seek(max(self._log_begin, self._log_file.stat().st_size - 4000))
            lines = file.read().decode(errors="replace").strip().splitlines()[-_QUOTED_LINES:]
        quoted = "\n  ".join(["", *lines]) if lines else " it is empty."
        return f"{self.child.name} {what}. The end of its log {self._log_file}:{quoted}"


def _ending(code: int) -> str:
    """Return a description of an exit code."""
    return f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
