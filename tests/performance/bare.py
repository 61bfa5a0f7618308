"""Runs the floor, and asks it for answers."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from tests.performance.processes import environment, family, python, running
from tests.performance.stage import until_answering
from tests.ports import free_port


@dataclass(frozen=True, slots=True)
class Bare:
    """Where the floor is, and its processes."""

    url: str
    web: tuple[int, ...]


@asynccontextmanager
async def bare_server(folder: Path, ollama: str) -> AsyncGenerator[Bare]:
    """Run the bare server while the context is open."""
    port = free_port()
    command = python("uvicorn", "tests.performance.bare_server:app", "--interface", "asgi3", "--no-access-log")
    command += ["--host", "127.0.0.1", "--port", str(port), "--ws", "websockets-sansio", "--log-level", "warning"]
    log = folder / "bare.log"
    async with running(command, log, environment(BARE_OLLAMA=ollama)) as process:
        url = f"http://127.0.0.1:{port}"
        await until_answering(url, process, log)
        yield Bare(url, tuple(family(process.pid)))


async def bare_answer(url: str, model: str) -> tuple[float, int]:
    """Have an answer forwarded over a websocket; return the seconds to its first token, and its bytes."""
    received = 0
    first_at = 0.0
    address = url.replace("http", "ws", 1) + "/socket"
    async with aiohttp.ClientSession(trust_env=False) as client, client.ws_connect(address, compress=15) as socket:
        asked_at = time.time()
        await socket.send_str(model)
        while token := (await socket.receive_str()):
            first_at = first_at or time.time()
            received += len(token.encode())
    return first_at - asked_at, received
