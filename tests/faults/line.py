"""A TCP proxy that can break connections (both ends notice) or drop all data (neither end notices)."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from tests.ports import free_port

_BUSY_SECONDS = 0.3
_CLOSE_WAIT = 8


@dataclass(eq=False)
class _Call:
    """One connection through the proxy: its client and server sockets."""

    near: asyncio.StreamWriter
    far: asyncio.StreamWriter | None = None
    moved_at: float = 0.0
    is_lost: bool = False

    def break_off(self) -> None:
        for writer in (self.near, self.far):
            if writer is not None:
                writer.transport.abort()


@dataclass(eq=False)
class Line:
    """Listens on its own port and forwards all data."""

    port_there: int
    port: int = 0
    _server: asyncio.Server | None = None
    _calls: set[_Call] = field(default_factory=set)
    _alive: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, direct: str) -> str:
        """Return the URL of the server through this proxy."""
        parts = urlsplit(direct)
        credentials, at, _ = parts.netloc.rpartition("@")
        return urlunsplit(parts._replace(netloc=f"{credentials}{at}127.0.0.1:{self.port}"))

    async def open(self) -> None:
        """Forward connections; listens on the same port as before."""
        self._alive.set()
        # Below the range of outgoing connections on Linux, so that no connection takes the port while the proxy is cut.
        self.port = self.port or free_port()
        if self._server is None:
            self._server = await asyncio.start_server(self._pass, "127.0.0.1", self.port)

    async def cut(self) -> None:
        """Refuse new connections and break open ones: both ends notice at once."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for call in list(self._calls):
            call.break_off()
        # Also wakes tasks that wait on a dead connection.
        self._alive.set()

    def go_dead(self) -> None:
        """Drop all data in both directions without closing connections."""
        self._alive.clear()

    def lose_connections(self) -> None:
        """Drop all data of open connections without closing them; new connections work."""
        for call in self._calls:
            call.is_lost = True

    def busy(self) -> int:
        """Return the number of connections with recent data."""
        now = asyncio.get_running_loop().time()
        return sum(now - call.moved_at < _BUSY_SECONDS for call in self._calls)

    def given_up(self) -> bool:
        """Whether the server has closed every connection, although no data reaches the client."""
        return all(call.far is None or _tcp_state(call.far) == _CLOSE_WAIT for call in self._calls)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        call = _Call(writer)
        self._calls.add(call)
        try:
            await self._alive.wait()
            with suppress(OSError):
                far_reader, call.far = await asyncio.open_connection("127.0.0.1", self.port_there)
                both = self._copy(call, reader, call.far), self._copy(call, far_reader, writer)
                await asyncio.gather(*both)
        finally:
            self._calls.discard(call)
            call.break_off()

    async def _copy(self, call: _Call, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                await self._alive.wait()
                if call.is_lost:
                    continue
                call.moved_at = asyncio.get_running_loop().time()
                writer.write(data)
                await writer.drain()
                await self._alive.wait()
        # A dead connection does not forward its end either.
        await self._alive.wait()
        if not call.is_lost:
            writer.close()


def _tcp_state(writer: asyncio.StreamWriter) -> int:
    """Return the TCP state of a connection."""
    info = writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8)
    return struct.unpack("B", info[:1])[0]
