"""A line between two processes that can be cut (both ends notice) or go dead (nobody notices), and be mended."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from rxchat.embedded.process import free_port

_BUSY_SECONDS = 0.3
_CLOSE_WAIT = 8


@dataclass(eq=False)
class _Call:
    """One connection through the line: the end that called, and the one that answers."""

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
    """Listens at a port of its own and passes everything on."""

    port_there: int
    port: int = 0
    _server: asyncio.Server | None = None
    _calls: set[_Call] = field(default_factory=set)
    _alive: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, direct: str) -> str:
        """The address of the server by way of this line."""
        parts = urlsplit(direct)
        credentials, at, _ = parts.netloc.rpartition("@")
        return urlunsplit(parts._replace(netloc=f"{credentials}{at}127.0.0.1:{self.port}"))

    async def open(self) -> None:
        """Let through; at the same port as before."""
        self._alive.set()
        # Below those that Linux gives to outgoing connections: nobody takes it while the line is cut.
        self.port = self.port or free_port()
        if self._server is None:
            self._server = await asyncio.start_server(self._pass, "127.0.0.1", self.port)

    async def cut(self) -> None:
        """Let nobody in, and break what is open: both ends notice at once."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for call in list(self._calls):
            call.break_off()
        # Those that waited on a dead line find out, too.
        self._alive.set()

    def go_dead(self) -> None:
        """Pass nothing more in either direction, and tell neither end."""
        self._alive.clear()

    def lose_connections(self) -> None:
        """Pass nothing more on what is open now, and tell neither end; new connections get through."""
        for call in self._calls:
            call.is_lost = True

    def busy(self) -> int:
        """How many connections have moved something just now."""
        now = asyncio.get_running_loop().time()
        return sum(now - call.moved_at < _BUSY_SECONDS for call in self._calls)

    def given_up(self) -> bool:
        """Whether the answering side has closed every connection, though nothing reaches the calling one."""
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
        # Not even an end gets through a dead line.
        await self._alive.wait()
        if not call.is_lost:
            writer.close()


def _tcp_state(writer: asyncio.StreamWriter) -> int:
    """What the kernel says of a connection."""
    info = writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8)
    return struct.unpack("B", info[:1])[0]
