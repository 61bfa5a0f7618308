"""What the tests of real processes share."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from rxchat.settings import Settings

REPOSITORY = Path(__file__).parents[2]


def settings_for(data: Path, *wanted: str, **more: Any) -> Settings:
    """Settings under which only the wanted servers (postgres, valkey, models) are embedded."""
    elsewhere = SecretStr("postgresql://nobody@192.0.2.1/elsewhere")
    values: dict[str, Any] = {
        "data_folder": data,
        "database_url": None if "postgres" in wanted else elsewhere,
        "redis_url": None if "valkey" in wanted else SecretStr("redis://192.0.2.1"),
        "ollama_hosts": () if "models" in wanted else ("http://192.0.2.1:11434",),
    }
    return Settings(_env_file=None, **values, **more)  # pyright: ignore[reportCallIssue]


def is_alive(pid: int) -> bool:
    """Whether the process runs (one that is dead but not collected does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except (FileNotFoundError, ProcessLookupError):
        return False


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for a condition."""
    give_up_at = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up_at, "waited in vain"
        time.sleep(0.02)


async def eventually(condition: Callable[[], bool | Awaitable[bool]], seconds: float = 60) -> None:
    """Wait for a condition without blocking the loop."""
    give_up_at = time.monotonic() + seconds
    while True:
        found = condition()
        if found if isinstance(found, bool) else await found:
            return
        assert time.monotonic() < give_up_at, "waited in vain"
        await asyncio.sleep(0.02)


def spawn_supervisor(data: Path, wanted: str, *user: str) -> subprocess.Popen[str]:
    """A supervisor in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.embedded.run_supervisor", str(data), wanted, *user],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        text=True,
    )


def first_json(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What such a process says once it is up."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("{"):
            return json.loads(line)
    raise AssertionError(f"it said nothing and ended with {process.wait()}")
