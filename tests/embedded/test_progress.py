"""What a long start prints: a line for each task, and why it takes long."""

from __future__ import annotations

import asyncio
import io
import re
import sys
import time
from pathlib import Path

import pytest

from rxchat.embedded import progress
from rxchat.embedded.child import Child, SupervisedProcess
from rxchat.embedded.progress import TaskLine, Terminal


class Screen(io.StringIO):
    """A terminal that shows what a person sees of it."""

    def isatty(self) -> bool:
        return True

    def shown(self) -> list[str]:
        lines: list[str] = []
        for part in re.split(r"(\x1b\[\d*[AJ]|\n)", self.getvalue()):
            if up := re.fullmatch(r"\x1b\[(\d+)A", part):
                del lines[len(lines) - int(up[1]) :]
            elif part and not part.startswith("\x1b") and part != "\n":
                lines.append(part)
        return lines


def test_at_a_terminal_each_task_has_one_line_below_all_others() -> None:
    screen = Screen()
    report = Terminal(screen)
    for percent in range(0, 100, 10):
        report(TaskLine(f"Preparing the demo model: {percent} %", "model"))
        report(TaskLine(f"Building the pages: {percent} s so far ...", "pages"))
    assert screen.shown() == ["Preparing the demo model: 90 %", "Building the pages: 90 s so far ..."]
    report("Postgres is back.")
    report(TaskLine("Prepared the demo model.", "model", is_done=True))
    assert screen.shown() == [
        "Postgres is back.",
        "Prepared the demo model.",
        "Building the pages: 90 s so far ...",
    ]
    report(TaskLine("Built the pages in 99 s.", "pages", is_done=True))
    report("RxChat is at http://127.0.0.1:8000")
    assert screen.shown()[-2:] == ["Built the pages in 99 s.", "RxChat is at http://127.0.0.1:8000"]


def test_a_line_never_takes_two_rows_and_what_was_not_finished_is_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    screen = Screen()
    report = Terminal(screen)
    report(TaskLine("x" * 100, "long"))
    assert [len(line) for line in screen.shown()] == [39]
    report.clear()
    assert screen.shown() == []


def test_in_a_file_a_task_has_a_line_every_few_seconds_and_no_control_characters() -> None:
    output = io.StringIO()
    report = Terminal(output)
    for percent in range(100):
        report(TaskLine(f"Preparing the demo model: {percent} %", "model"))
        report(TaskLine(f"Preparing the embedder: {percent} %", "embedder"))
    report(TaskLine("Prepared the demo model.", "model", is_done=True))
    assert output.getvalue().splitlines() == [
        "Preparing the demo model: 0 %",
        "Preparing the embedder: 0 %",
        "Prepared the demo model.",
    ]


@pytest.mark.anyio
async def test_a_child_that_takes_long_says_what_it_waits_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rxchat.embedded.child._TELL_EVERY_SECONDS", 0.02)
    (tmp_path / "run").mkdir()
    began = time.monotonic()

    async def healthy() -> None:
        if time.monotonic() - began < 0.5:
            raise ConnectionError
        progress.enter_stage(tmp_path, "connecting to the database")
        if time.monotonic() - began < 1:
            raise ConnectionError

    told: list[str] = []
    progress.enter_stage(tmp_path, "loading RxChat")
    child = Child(
        "web",
        [sys.executable, "-c", "import time; time.sleep(60)"],
        healthy=healthy,
        label="the web server",
        stage=lambda: progress.stage(tmp_path),
    )
    kept = SupervisedProcess(child, tmp_path, told.append)
    async with asyncio.timeout(60):
        await kept.start()
    await kept.stop(1)
    assert told[0] == "Starting the web server ..." and re.fullmatch(r"Started the web server in \d+ s\.", told[-1])
    stages = [found[1] for line in told if (found := re.search(r"so far; ([\w ]*\w)", line))]
    assert list(dict.fromkeys(stages)) == ["loading RxChat", "connecting to the database"]


def test_a_busy_machine_is_named_as_the_reason() -> None:
    assert progress.busy_note((0.4, 0, 0), 2) == ""
    assert progress.busy_note((6.04, 0, 0), 2) == "; this machine is busy (load 6.0 on 2 processors)"


def test_nothing_is_said_where_no_stage_can_be_kept(tmp_path: Path) -> None:
    progress.enter_stage(tmp_path / "none", "loading")
    assert progress.stage(tmp_path / "none") == ""
