"""The embedded servers of another process: for development, where `reflex run` owns them."""

from __future__ import annotations

import asyncio
import signal
import sys

from rxchat.embedded import process
from rxchat.embedded.supervisor import Supervisor
from rxchat.settings import Settings


async def serve_for(settings: Settings, owner_pid: int) -> None:
    """Run the servers until the owner's process ends, or until SIGTERM or SIGINT.

    Raises:
        EmbeddedError: if they cannot run.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    watching = asyncio.ensure_future(process.exited(owner_pid))
    watching.add_done_callback(lambda _: stop.set())
    supervisor = Supervisor(settings, _report)
    starting = asyncio.ensure_future(supervisor.start())
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            await supervisor.run_until(stop)
    finally:
        for task in (starting, stopping, watching):
            task.cancel()
        await asyncio.gather(starting, stopping, watching, return_exceptions=True)
        await supervisor.stop()


def _report(line: str) -> None:
    """Print a line to the terminal, which may be closed already."""
    try:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
    except OSError:
        return
