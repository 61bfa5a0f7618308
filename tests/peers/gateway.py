"""A TCP proxy whose connections can be broken and restored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit, urlunsplit


class Gateway:
    """Listens on its own port and forwards all data."""

    def __init__(self, url: str) -> None:
        """`url` is that of the real server."""
        self._target = urlsplit(url)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._port = 0

    @property
    def url(self) -> str:
        """The server's URL through this proxy."""
        credentials = self._target.netloc.rpartition("@")[0]
        through = f"{credentials}@127.0.0.1:{self._port}"
        if self._target.scheme == "unix":
            return f"redis://{through}/0"
        return urlunsplit(self._target._replace(netloc=through))

    async def open(self) -> None:
        """Forward connections; listens on the same port as before."""
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Refuse new connections and break all open ones."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._target.scheme == "unix":
            there_reader, there_writer = await asyncio.open_unix_connection(self._target.path)
        else:
            there_reader, there_writer = await asyncio.open_connection(self._target.hostname, self._target.port)
        self._writers |= {writer, there_writer}
        try:
            await asyncio.gather(_copy(reader, there_writer), _copy(there_reader, writer))
        finally:
            self._writers -= {writer, there_writer}
            for end in (writer, there_writer):
                end.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def gateway(url: str) -> AsyncGenerator[Gateway]:
    """Run a proxy to a server while the context is open."""
    between = Gateway(url)
    await between.open()
    try:
        yield between
    finally:
        await between.close()
