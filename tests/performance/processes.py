"""Processes: starting and ending them, and what the kernel says they used (Linux)."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_TICKS = os.sysconf("SC_CLK_TCK")
_END_SECONDS = 15.0
# What would lead a server to somebody else's database, or keep Python from compiling modules once and for all.
_NOT_OURS = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "OLLAMA_HOSTS", "PYTHONDONTWRITEBYTECODE")


def environment(**ours: str) -> dict[str, str]:
    """Return this process's environment without RxChat's settings, and with the given ones."""
    kept = {name: value for name, value in os.environ.items() if name not in _NOT_OURS}
    return {name: value for name, value in kept.items() if not name.startswith("RXCHAT_")} | ours


@asynccontextmanager
async def running(
    command: Sequence[str], log: Path, env: Mapping[str, str], *, folder: Path = ROOT
) -> AsyncGenerator[asyncio.subprocess.Process]:
    """Run a command while the context is open; then it gets SIGTERM, and SIGKILL if it does not end."""
    with log.open("ab") as output:
        # A group of its own: Ctrl-C reaches us alone, and we end what we started in its order.
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            env=env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            process_group=0,
        )
    try:
        yield process
    finally:
        await asyncio.shield(_end(process))


async def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(_END_SECONDS):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def python(*arguments: str) -> list[str]:
    """Return the command that runs a module with this Python."""
    return [sys.executable, "-m", *arguments]


def family(pid: int) -> list[int]:
    """Return a process and everything that descends from it."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                children.setdefault(_parent_in((folder / "stat").read_text()), []).append(int(folder.name))
    found, waiting = [], [pid]
    while waiting:
        found.append(waiting.pop())
        waiting += children.get(found[-1], [])
    return found


def command_of(pid: int) -> str:
    """Return a process's command line; "" when it is gone."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    return ""


def _parent_in(stat: str) -> int:
    # The name in brackets may hold anything; the parent is the second word after it.
    return int(stat.rpartition(")")[2].split()[1])


def cpu_seconds(pids: Sequence[int]) -> float:
    """Return the processor time that these processes have used so far, in user and kernel mode."""
    ticks = 0
    for pid in pids:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(words[11]) + int(words[12])
    return ticks / _TICKS


def memory_megabytes(pid: int) -> tuple[float, float]:
    """Return a process's resident memory, and its share of it (shared pages divided among those who share them)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    amounts = {line.split(":")[0]: int(line.split()[1]) for line in lines[1:]}
    return amounts["Rss"] / 1000, amounts["Pss"] / 1000
