"""The parent of the web processes: it binds the socket, starts the workers, and restarts those that were killed.

It imports very little, so that it needs little memory and is unlikely to fail.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import socket
import sys
import time
from contextlib import suppress

_KILL_SECONDS = 3.0
"""The time after SIGTERM in which a worker saves unfinished answers before it is killed."""
_RESTART_SECONDS = 0.1
_MOST_RESTART_SECONDS = 5.0
_SETTLED_SECONDS = 10.0
"""Each restart of a worker that was killed sooner than this after its start has a longer delay."""
_FAILED = 1


class Workers:
    """The worker processes that serve one socket."""

    def __init__(self, listener: socket.socket, count: int) -> None:
        self._listener = listener
        self._count = count
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """Ask all workers to end."""
        self._stop.set()

    async def run(self) -> int:
        """Keep the workers running until `stop`, or until one of them cannot start; return the exit code."""
        keeping = [asyncio.create_task(self._keep_one()) for _ in range(self._count)]
        try:
            await asyncio.wait(keeping, return_when=asyncio.FIRST_COMPLETED)
            self._stop.set()
            return max(await asyncio.gather(*keeping))
        finally:
            for task in keeping:
                task.cancel()

    async def _keep_one(self) -> int:
        """Keep one worker running."""
        pause = _RESTART_SECONDS
        while not self._stop.is_set():
            began = time.monotonic()
            code = await self._run_one()
            if self._stop.is_set():
                break
            is_settled = time.monotonic() - began > _SETTLED_SECONDS
            if code > 0 and not is_settled:
                # It was not killed: it cannot start, and has printed the reason.
                return _FAILED
            pause = _RESTART_SECONDS if is_settled else min(_MOST_RESTART_SECONDS, 2 * pause)
            print(f"rxchat: a web process ended ({code}); starting another one.", file=sys.stderr, flush=True)  # noqa: T201
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._stop.wait()
        return 0

    async def _run_one(self) -> int:
        descriptor = self._listener.fileno()
        process = await asyncio.create_subprocess_exec(*_command(descriptor), pass_fds=(descriptor,))
        ended, asked = asyncio.create_task(process.wait()), asyncio.create_task(self._stop.wait())
        await asyncio.wait({ended, asked}, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if not ended.done():
            with suppress(ProcessLookupError):
                process.terminate()
            await asyncio.wait({ended}, timeout=_KILL_SECONDS)
        if not ended.done():
            with suppress(ProcessLookupError):
                process.kill()
        return await ended


def _command(descriptor: int) -> list[str]:
    serving = ["--descriptor", str(descriptor), "--parent", str(os.getpid())]
    return [sys.executable, "-m", "rxchat.server.web_process", *serving]


def _bound(host: str, port: int) -> socket.socket:
    """Return a bound socket for the workers: until the first one listens, connections are refused."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(address)
    return listener


async def _main() -> int:
    parser = argparse.ArgumentParser(prog="python -m rxchat.server", description=__doc__)
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--workers", type=int, default=1)
    chosen = parser.parse_args()
    try:
        listener = _bound(chosen.host, chosen.port)
    except OSError as error:
        print(f"rxchat: cannot listen at {chosen.host}:{chosen.port} ({error.strerror}).", file=sys.stderr)  # noqa: T201
        return _FAILED
    with listener:
        workers = Workers(listener, chosen.workers)
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, workers.stop)
        return await workers.run()


if __name__ == "__main__":
    sys.exit(asyncio.run(_main()))
