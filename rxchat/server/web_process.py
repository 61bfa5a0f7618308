"""A web process: `python -m rxchat.server.web_process`, started by `python -m rxchat.server`."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import resource
import signal
import socket
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress

import uvicorn
from starlette.types import ASGIApp

from rxchat.embedded.process import die_with_parent
from rxchat.server.connection_limits import CONNECTIONS, HEAD_SECONDS, ConnectionLimits
from rxchat.server.http import HttpProtocol, SlicedBodies
from rxchat.server.websocket import MESSAGE_BYTES, WebSocketProtocol
from rxchat.server.websocket_parse_scheduler import ParseScheduler
from rxchat.settings import Settings

APP = "rxchat.rxchat:app"
BACKLOG = 2_048
_ENDING_SECONDS = 1
"""The time to finish requests after SIGTERM; then unfinished answers are saved."""
_SWEEP_SECONDS = 1.0
_OPEN_FILES = 2 * CONNECTIONS


class Config(uvicorn.Config):
    """uvicorn's configuration, with the limits that its protocols share."""

    def __init__(self, app: str | Callable[[], ASGIApp], connections: ConnectionLimits) -> None:
        super().__init__(
            app,
            factory=True,
            interface="asgi3",
            loop="uvloop",
            http=HttpProtocol,
            ws=WebSocketProtocol,
            ws_max_size=MESSAGE_BYTES,
            # Engine.IO sends its own pings.
            ws_ping_interval=None,
            ws_per_message_deflate=True,
            lifespan="on",
            log_config=None,
            access_log=False,
            # rxchat.api.trusted_proxies finds the client of a request.
            proxy_headers=False,
            server_header=False,
            backlog=BACKLOG,
            timeout_keep_alive=int(HEAD_SECONDS),
            timeout_graceful_shutdown=_ENDING_SECONDS,
        )
        self.open_connections = connections
        self.parse_scheduler = ParseScheduler()

    def load(self) -> None:
        """Import the application."""
        # Imports create no garbage, and collections during them take a fifth of the time.
        gc.disable()
        try:
            super().load()
        finally:
            gc.enable()
        # The application configures logging; uvicorn's own messages about requests are left out.
        logging.getLogger("uvicorn").setLevel(logging.WARNING)
        self.loaded_app = SlicedBodies(self.loaded_app)


class Server(uvicorn.Server):
    """uvicorn's server: shuts down once at the first signal, and closes slow connections."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self._connections = config.open_connections
        self._stop = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Shut down at the first signal; a second one must not interrupt the saving of answers."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop.set)
        yield

    async def main_loop(self) -> None:
        """Serve until a signal asks for shutdown."""
        loop = asyncio.get_running_loop()
        while not self._stop.is_set():
            await self.on_tick(0)
            self._connections.sweep(loop.time())
            with suppress(TimeoutError):
                async with asyncio.timeout(_SWEEP_SECONDS):
                    await self._stop.wait()


def allow_open_files() -> None:
    """Raise the soft limit of open files as far as connections need it and the hard limit allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def main() -> None:
    """Serve on a socket that the parent has bound."""
    parser = argparse.ArgumentParser(prog="python -m rxchat.server.web_process", description=__doc__)
    parser.add_argument("--descriptor", type=int, required=True, help="the listening socket")
    parser.add_argument("--parent", type=int, required=True, help="the process that this one ends with")
    chosen = parser.parse_args()
    die_with_parent(signal.SIGTERM, chosen.parent)
    allow_open_files()
    settings = Settings()  # pyright: ignore[reportCallIssue]
    config = Config(APP, ConnectionLimits(settings.trusted_proxies))
    with (
        socket.socket(fileno=chosen.descriptor) as listener,
        asyncio.Runner(loop_factory=config.get_loop_factory()) as runner,
    ):
        runner.run(_serve(config, listener))
    sys.stdout.flush()


async def _serve(config: Config, listener: socket.socket) -> None:
    await Server(config).serve(sockets=[listener])


if __name__ == "__main__":
    main()
