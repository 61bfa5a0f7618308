"""The parent of the processes that serve: which of them it starts again, and when it ends."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from rxchat.server import __main__ as parent
from rxchat.server.__main__ import Workers

pytestmark = pytest.mark.anyio

KILLED, FAILED, ENDED = -9, 1, 0


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        yield found


class Started(Workers):
    """Workers that end with these codes, one after another; then they serve until they are asked to end."""

    def __init__(self, listener: socket.socket, count: int, *codes: int) -> None:
        super().__init__(listener, count)
        self.codes = list(codes)
        self.starts: list[float] = []

    async def _run_one(self) -> int:
        self.starts.append(time.monotonic())
        if self.codes:
            return self.codes.pop(0)
        await self._stop.wait()
        return ENDED


async def test_a_process_that_was_killed_is_started_again_and_later_each_time(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parent, "_RESTART_SECONDS", 0.05)
    workers = Started(listener, 1, KILLED, KILLED, KILLED)
    running = asyncio.create_task(workers.run())
    async with asyncio.timeout(60):
        while len(workers.starts) < 4:
            await asyncio.sleep(0.01)
    pauses = [later - earlier for earlier, later in zip(workers.starts, workers.starts[1:], strict=False)]
    assert pauses == sorted(pauses) and pauses[0] > 0.05 and pauses[2] > 0.2
    assert not running.done()
    workers.stop()
    assert await running == ENDED


async def test_one_that_cannot_start_ends_all_of_them(listener: socket.socket) -> None:
    workers = Started(listener, 2, FAILED)
    async with asyncio.timeout(60):
        assert await workers.run() == FAILED


async def test_the_parent_ends_in_the_time_that_it_has_whatever_its_processes_do(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parent, "_KILL_SECONDS", 0.3)
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    monkeypatch.setattr(parent, "_command", lambda _descriptor: [sys.executable, "-c", deaf])
    workers = Workers(listener, 2)
    running = asyncio.create_task(workers.run())
    await asyncio.sleep(0.5)
    workers.stop()
    async with asyncio.timeout(60):
        assert await running == KILLED or running.result() == ENDED


def test_a_port_that_is_taken_is_said_in_a_sentence(listener: socket.socket) -> None:
    listener.listen()
    command = [sys.executable, "-m", "rxchat.server", "--host", "127.0.0.1", "--port", str(listener.getsockname()[1])]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 1 and "cannot listen at 127.0.0.1" in ended.stderr and "Traceback" not in ended.stderr
