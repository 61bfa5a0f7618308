"""Everything that is measured, started on free ports and a data folder of its own: the scripted model and RxChat."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from rxchat.connections import Connections, connections
from rxchat.settings import Settings
from tests.performance.processes import command_of, environment, family, python, running
from tests.ports import free_port

SHORT = "scripted:tokens=300,rate=100"
LONG = "scripted:tokens=3000,rate=100"
STEADY = "scripted:tokens=500,rate=50"
HELD = "scripted:tokens=60,rate=100,hold=20"
STAMPED = "scripted:tokens=200,rate=50,stamp=1"
BRIEF = "scripted:tokens=6,rate=20,stamp=1"
CROWDED = "scripted:tokens=300,rate=50,stamp=1"
TOKEN_CHARACTERS = len("1700000000000 ")
COUNTED = "scripted:tokens=1000,rate=100"
# The first one answers new conversations.
EMBEDDER = "scripted-embed:tokens=256"
MODELS = (BRIEF, SHORT, LONG, STEADY, STAMPED, HELD, CROWDED, COUNTED, EMBEDDER)

_START_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class Stage:
    """Where everything is."""

    url: str
    at: Connections
    ollama: str
    pid: int
    """`rxchat up`, from which all others descend."""
    web: tuple[int, ...]
    """The parent of those that serve, and those."""
    data: Path
    line_port: int = 0
    """The port of one more origin, for a line that can be cut; 0 where there is none."""


class NotStarted(Exception):
    """Something did not start; the log's end says why."""


@asynccontextmanager
async def scripted_model(folder: Path) -> AsyncGenerator[str]:
    """Run the scripted Ollama in a process of its own; gives its address."""
    port = free_port()
    command = python("tests.peers.scripted_ollama", str(port), *MODELS)
    async with running(command, folder / "ollama.log", environment()) as process:
        url = f"http://127.0.0.1:{port}"
        await until_answering(f"{url}/api/version", process, folder / "ollama.log")
        yield url


@asynccontextmanager
async def rxchat_up(data: Path, *, ollama: str | None = None, **settings: str) -> AsyncGenerator[tuple[str, int]]:
    """Run `python -m rxchat up` until it is ready; gives its address and its process id."""
    port = free_port()
    ours = {"RXCHAT_DATA": str(data), "RXCHAT_PORT": str(port)} | _hosts(ollama) | settings
    log = data.with_suffix(".log")
    async with running(python("rxchat", "up"), log, environment(**ours)) as process:
        url = f"http://127.0.0.1:{port}"
        await until_answering(f"{url}/readyz", process, log)
        yield url, process.pid


@asynccontextmanager
async def stage(folder: Path) -> AsyncGenerator[Stage]:
    """Run the scripted model, and RxChat with it."""
    data, line_port = folder / "data", free_port()
    more = {"RXCHAT_EXTRA_ORIGINS": f"http://127.0.0.1:{line_port}"}
    async with scripted_model(folder) as ollama, rxchat_up(data, ollama=ollama, **more) as (url, pid):
        at = connections(settings_of(data, ollama))
        yield Stage(url, at, ollama, pid, web_processes(pid), data, line_port)


def _hosts(ollama: str | None) -> dict[str, str]:
    return {"OLLAMA_HOSTS": ollama, "RXCHAT_EMBEDDING_MODEL": EMBEDDER} if ollama else {}


def settings_of(data: Path, ollama: str = "") -> Settings:
    """Return the settings of an RxChat on this data folder."""
    return Settings.model_validate({"RXCHAT_DATA": data, **_hosts(ollama)})


def web_processes(pid: int) -> tuple[int, ...]:
    """Return the web server and its workers among the descendants of `rxchat up`."""
    return tuple(sorted(child for child in family(pid) if "rxchat.server" in command_of(child)))


async def until_answering(url: str, process: asyncio.subprocess.Process, log: Path) -> None:
    """Wait until an address answers with 200.

    Raises:
        NotStarted: the process ended, or took too long.
    """
    await until(lambda: _answers(url), process, log)


async def until(
    is_there: Callable[[], Awaitable[bool]],
    process: asyncio.subprocess.Process,
    log: Path,
    seconds: float = _START_SECONDS,
) -> None:
    """Wait until something is there that a process brings.

    Raises:
        NotStarted: the process ended, or took too long.
    """
    deadline = time.monotonic() + seconds
    while not await is_there():
        if process.returncode is not None or time.monotonic() > deadline:
            raise NotStarted("\n".join(log.read_text(errors="replace").splitlines()[-15:]))
        await asyncio.sleep(0.02)


async def _answers(url: str) -> bool:
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            return (await client.get(url, timeout=5)).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
