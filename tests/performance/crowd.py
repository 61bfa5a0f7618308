"""Many readers at once, in processes of their own, and what they saw beside what Postgres kept."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psycopg

from tests.performance.processes import ROOT, command_of, cpu_seconds, environment, family, python
from tests.performance.readers import Seen, digest

Seat = tuple[str, UUID | None]
"""A reader's cookie and conversation, or none for a new one; no cookie for one who reads from the bare websocket."""

READERS_A_PROCESS = 100
_KINDS = {
    "web": "rxchat.server",
    "worker": "-m rxchat worker",
    "bare": "bare_server",
    "model": "scripted_ollama",
    "readers": "performance.readers",
    "Postgres": "postgres",
    "Valkey": "valkey",
    "supervisor and embedder": "rxchat",
}
RXCHAT = ("web", "worker", "Postgres", "Valkey", "supervisor and embedder")
"""What runs because RxChat runs."""
_BEFORE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Harvest:
    """What a crowd saw, how long it took, and what it cost whom."""

    seen: Seen
    seconds: float
    cpu: dict[str, float]
    """Processor seconds by kind of process."""

    def milliseconds_a_token(self, *kinds: str) -> float:
        """Processor time of these kinds of processes, for each token."""
        return sum(self.cpu.get(kind, 0.0) for kind in kinds) / max(1, self.seen.tokens) * 1000


class Crowd:
    """Readers who are there and wait."""

    def __init__(self, processes: Sequence[asyncio.subprocess.Process], seats: Sequence[Seat]) -> None:
        """Speak to these processes."""
        self._processes = processes
        self.seats = seats

    async def ask(self, *, seconds: float = 0.0) -> Harvest:
        """Have everyone ask at the same moment, and again and again for so many seconds."""
        begin = time.time() + _BEFORE_SECONDS
        order = json.dumps({"begin": begin, "until": begin + seconds}).encode() + b"\n"
        before = cpu_by_kind()
        seen = Seen()
        for told in await asyncio.gather(*(_exchange(process, order) for process in self._processes)):
            seen.add(json.loads(told))
        after = cpu_by_kind()
        cpu = {kind: after[kind] - before.get(kind, 0.0) for kind in after}
        return Harvest(seen, time.time() - begin, cpu)


async def _exchange(process: asyncio.subprocess.Process, order: bytes) -> bytes:
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("a process of readers has no pipes")
    process.stdin.write(order)
    await process.stdin.drain()
    told = await process.stdout.readline()
    if not told:
        raise RuntimeError("a process of readers has ended; readers.log says why")
    return told


@asynccontextmanager
async def crowd(url: str, seats: Sequence[Seat], folder: Path, *, model: str = "") -> AsyncGenerator[Crowd]:
    """Open the readers' tabs, and keep them open while the context is open."""
    parts = [seats[at : at + READERS_A_PROCESS] for at in range(0, len(seats), READERS_A_PROCESS)]
    async with AsyncExitStack() as stack:
        processes = [await stack.enter_async_context(_readers(folder)) for _ in parts]
        orders = [
            {"url": url, "model": model, "seats": [(cookie, str(name or "")) for cookie, name in part]}
            for part in parts
        ]
        lines = [json.dumps(order).encode() + b"\n" for order in orders]
        await asyncio.gather(*(_exchange(process, line) for process, line in zip(processes, lines, strict=True)))
        yield Crowd(processes, seats)


@asynccontextmanager
async def _readers(folder: Path) -> AsyncGenerator[asyncio.subprocess.Process]:
    with (folder / "readers.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *python("tests.performance.readers"),
            cwd=ROOT,
            env=environment(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            limit=1 << 24,
            process_group=0,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.shield(process.wait())


def cpu_by_kind() -> dict[str, float]:
    """Return the processor seconds of all that descends from this process, by kind."""
    found: dict[str, float] = {}
    for pid in family(os.getpid()):
        command = command_of(pid)
        kind = next((kind for kind, mark in _KINDS.items() if mark in command), None)
        if kind is not None:
            try:
                found[kind] = found.get(kind, 0.0) + cpu_seconds([pid])
            except OSError:
                continue
    return found


def wrong_texts(owner_url: str, seen: Seen) -> int:
    """Return how many readers' last answers are not what Postgres has stored of them."""
    with psycopg.connect(owner_url) as connection:
        rows = connection.execute(
            "SELECT DISTINCT ON (conversation_id) conversation_id, text FROM message"
            " WHERE conversation_id = ANY(%s) AND role = 'assistant' ORDER BY conversation_id, seq DESC",
            ([UUID(name) for name in seen.digests],),
        ).fetchall()
    stored = {str(conversation): digest(text) for conversation, text in rows}
    return sum(stored.get(name) != told for name, told in seen.digests.items())
