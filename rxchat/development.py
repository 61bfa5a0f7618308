"""What `reflex run` needs before the app can work: the embedded servers, migrated, while it runs."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from rxchat.db.platform import migrations
from rxchat.domain.errors import RxChatError
from rxchat.embedded import endpoints
from rxchat.settings import Settings

_START_SECONDS = 120.0


async def ensure_servers(settings: Settings) -> None:
    """Use the servers that run already (hot reload comes here again and again), or start them.

    Raises:
        RxChatError: when they do not come up.
    """
    if endpoints.read(settings.data) is None:
        log = settings.data / "logs" / "servers.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            starting = subprocess.Popen(  # noqa: ASYNC220 - only started here, never waited for
                [sys.executable, "-m", "rxchat", "servers", "--owner", str(_reflex_run())],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # Not in the group that Ctrl-C reaches: it ends in good order when its owner has.
                start_new_session=True,
            )
        await _wait(settings, starting, log)
    found = endpoints.read(settings.data)
    if found is not None and found.database_owner_url is not None:
        await asyncio.to_thread(migrations.upgrade, found.database_owner_url)


async def _wait(settings: Settings, starting: subprocess.Popen[bytes], log: Path) -> None:
    try:
        async with asyncio.timeout(_START_SECONDS):
            while endpoints.read(settings.data) is None:
                if starting.poll() is not None:
                    tail = log.read_text(errors="replace").strip().splitlines()[-1:]
                    raise RxChatError(f"The embedded servers did not start: {' '.join(tail)}")
                await asyncio.sleep(0.1)
    except TimeoutError as error:
        raise RxChatError(f"The embedded servers did not start in time; see {log}") from error


def _reflex_run() -> int:
    """Return the process that the user started: the topmost ancestor that is `reflex run`, not a reloaded worker."""
    owner = pid = os.getppid()
    while pid > 1:
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            break
        if any(b"reflex" in word for word in words) and b"run" in words:
            owner = pid
        pid = parent
    return owner
