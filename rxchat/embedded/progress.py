"""Progress of a long start: a line for each task, updated in place on a terminal, repeated in other outputs."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import structlog

log = structlog.get_logger(__name__)

_LINE_SECONDS = 5.0
_BUSY = 1.5


class TaskLine(str):
    """A line about a task, which replaces the task's last line; other reports stay."""

    __slots__ = ("is_done", "task")

    task: str
    is_done: bool

    def __new__(cls, line: str, task: str, *, is_done: bool = False) -> TaskLine:
        """`is_done` says that the task has ended."""
        made = super().__new__(cls, line)
        made.task, made.is_done = task, is_done
        return made


Report = Callable[[str], None]


def to_log(line: str) -> None:
    """Report to the log only."""
    log.info("progress", line=line)


class Terminal:
    """Prints reports; on a terminal, the lines of unfinished tasks stay below all others."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._is_rewritten = self._stream.isatty()
        self._tasks: dict[str, str] = {}
        self._printed_at: dict[str, float] = {}

    def __call__(self, line: str) -> None:
        """Print a line."""
        task, is_done = (line.task, line.is_done) if isinstance(line, TaskLine) else ("", True)
        if self._is_rewritten:
            self._rewrite(line, task, is_done)
        elif is_done or time.monotonic() - self._printed_at.get(task, -_LINE_SECONDS) >= _LINE_SECONDS:
            self._printed_at[task] = time.monotonic()
            self._write(f"{line}\n")
        if is_done:
            self._printed_at.pop(task, None)

    def clear(self) -> None:
        """Erase the lines of unfinished tasks."""
        self._write(self._erasing())
        self._tasks.clear()

    def _erasing(self) -> str:
        """Return the control sequence that erases the tasks' lines."""
        return f"\x1b[{len(self._tasks)}A\x1b[J" if self._tasks else ""

    def _rewrite(self, line: str, task: str, is_done: bool) -> None:
        erase = self._erasing()
        if is_done:
            self._tasks.pop(task, None)
        else:
            self._tasks[task] = line
        kept = f"{line}\n" if is_done else ""
        # A line that the terminal wraps would take two lines.
        width = shutil.get_terminal_size().columns - 1
        self._write(erase + kept + "".join(f"{text[:width]}\n" for text in self._tasks.values()))

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def enter_stage(data: Path, stage: str) -> None:
    """Write the stage of the web server's start to a file, for the process that waits for it."""
    with suppress(OSError):
        _stage_file(data).write_text(stage)


def stage(data: Path) -> str:
    """Return the last stage that the web server wrote; "" if there is none."""
    try:
        return _stage_file(data).read_text()[:100]
    except (OSError, UnicodeDecodeError):
        return ""


def _stage_file(data: Path) -> Path:
    return data / "run" / "web-stage"


def busy_note(loads: tuple[float, ...] | None = None, processors: int | None = None) -> str:
    """Return a note if other programs that use the processors slow down a start, otherwise ""."""
    with suppress(OSError):
        load = (loads or os.getloadavg())[0]
        if load > _BUSY * (processors or os.cpu_count() or 1):
            return f"; this machine is busy (load {load:.1f} on {processors or os.cpu_count()} processors)"
    return ""
