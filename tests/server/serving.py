"""The web server with an application of a test's own, in the test's process and loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from starlette.types import ASGIApp

from rxchat.server import web_process
from rxchat.server.connection_limits import ConnectionLimits


class Served:
    """Where it is, and what it holds."""

    def __init__(self, port: int, connections: ConnectionLimits, stop: Callable[[], Awaitable[None]]) -> None:
        self.port = port
        self.connections = connections
        self.stop = stop
        self.lines: list[asyncio.StreamWriter] = []

    async def line(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect; the test's end ends it."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.lines.append(writer)
        return reader, writer


@asynccontextmanager
async def served_by(app: ASGIApp) -> AsyncGenerator[Served]:
    """Serve an application while the context is open."""
    connections = ConnectionLimits()
    config = web_process.Config(lambda: _with_lifespan(app), connections)
    server = web_process.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        running = asyncio.create_task(server.serve(sockets=[listener]))

        async def stop() -> None:
            server._stop.set()
            await asyncio.wait({running})

        while not server.started:
            await asyncio.sleep(0.005)
        served = Served(listener.getsockname()[1], connections, stop)
        try:
            yield served
        finally:
            for line in served.lines:
                line.transport.abort()
            for connection in list(connections._open):
                connection.transport.abort()
            await stop()
            running.result()


def _with_lifespan(app: ASGIApp) -> ASGIApp:
    async def serve(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for step in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{step}.complete"})
        else:
            await app(scope, receive, send)

    return serve
