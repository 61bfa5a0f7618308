"""One websocket: uvicorn's protocol with limits for what it holds of messages that are not finished or not taken yet."""

from __future__ import annotations

import socket
from asyncio.transports import BaseTransport
from collections.abc import Callable
from typing import Any

from uvicorn._types import ASGIReceiveEvent, ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from rxchat.server.connections import HEAD_SECONDS, WRITE_SECONDS, ClosingDeadline, Connections

LIMIT_EXTENSION = "rxchat.limit_messages"
"""In the scope's extensions: a function of the bytes that a message may have, and of a `Hold`."""
ABORT_EXTENSION = "rxchat.abort"
"""In the scope's extensions: a function that ends the connection at once, whatever its peer has not read yet."""
MESSAGE_BYTES = 64_000
"""Of a socket for which the application has not said anything else."""
MESSAGE_SECONDS = 20.0
"""From a message's first byte to its last."""
FRAGMENTS = 64
WAITING_MESSAGES = 256
"""Messages of a socket that came and that the application has not taken yet."""

IDLE_HANDSHAKE_SECONDS = 5.0
"""A handshake that is older gives its place to a new connection, where there is none left."""

_REFUSED = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_SLICE_BYTES = 16_384
"""What is parsed at once: many small messages take many times their size in memory."""
_SEND_BUFFER_BYTES = 131_072
_TRY_LATER, _POLICY_VIOLATED = 1013, 1008

Hold = Callable[[int], bool]
"""Takes so many bytes more (or gives them back, below zero); False when there are none left to take."""


def _hold_anything(_size: int) -> bool:
    return True


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """One connection that has become a websocket."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._kept_in: Connections = self.config.open_connections  # pyright: ignore[reportAttributeAccessIssue]
        self._closing = ClosingDeadline()
        self._began_at = self.loop.time()
        self._paused_since: float | None = None
        self._unfinished_since: float | None = None
        self._hold: Hold = _hold_anything
        self._held_bytes = 0
        self.conn.max_message_size = MESSAGE_BYTES

    def overdue(self, now: float) -> str | None:
        """Return what the peer took too long for, or None."""
        if self._closing.is_over(self.transport, now):
            return "closing"
        if self._paused_since is not None and now - self._paused_since > WRITE_SECONDS:
            return "not reading"
        if not self.handshake_complete and now - self._began_at > HEAD_SECONDS:
            return "handshake"
        if self._unfinished_since is not None and now - self._unfinished_since > MESSAGE_SECONDS:
            return "unfinished message"
        return None

    @property
    def is_counted(self) -> bool:
        """It takes a place of its address until the application has accepted it, and again when it is being closed."""
        return not self.handshake_complete or self.close_sent or self.transport.is_closing()

    @property
    def is_idle(self) -> bool:
        """Whether it has been in its handshake for long, or waits for its peer to close it."""
        is_slow = not self.handshake_complete and self.loop.time() - self._began_at > IDLE_HANDSHAKE_SECONDS
        return (is_slow or self.close_sent) and not self.transport.is_closing()

    def connection_made(self, transport: BaseTransport) -> None:
        """Take the connection over from HTTP."""
        super().connection_made(transport)
        before: Any = self.transport.get_protocol()
        self._kept_in.replace(before, self)
        found = transport.get_extra_info("socket")
        if found is not None:
            # What the kernel holds for a peer that does not read would grow to some megabytes.
            found.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)

    def connection_lost(self, exc: Exception | None) -> None:
        """Give back what was taken."""
        self._kept_in.release(self)
        self._forget_unfinished()
        super().connection_lost(exc)

    def handle_connect(self, event: Request) -> None:
        """Begin the handshake, and let the application say how large messages may be."""
        super().handle_connect(event)
        if not self.close_sent:
            extensions: dict[str, Any] = self.scope.setdefault("extensions", {})  # pyright: ignore[reportAssignmentType]
            extensions |= {LIMIT_EXTENSION: self._limit_messages, ABORT_EXTENSION: self.transport.abort}

    def _limit_messages(self, most_bytes: int, hold: Hold) -> None:
        self.conn.max_message_size = most_bytes
        self._forget_unfinished()
        self._hold = hold

    def data_received(self, data: bytes) -> None:
        """Parse what came, in slices, for as long as it is not too much."""
        if not self.handshake_initiated:
            self._shake_hands(data)
            return
        for start in range(0, len(data), _SLICE_BYTES):
            super().data_received(data[start : start + _SLICE_BYTES])
            if self.transport.is_closing():
                return
            if self.queue.qsize() > WAITING_MESSAGES or len(self.frames) > FRAGMENTS:
                self._end(_POLICY_VIOLATED, "These are too many messages at once.")
                return
        self._hold_unfinished()

    def _shake_hands(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            # The core does not know this as a handshake: nothing else would answer it.
            self.handshake_complete = self.close_sent = True
            self.transport.write(b"".join(self.conn.data_to_send()) or _REFUSED)
            self.transport.close()

    async def send(self, message: ASGISendEvent) -> None:
        """Send what the application says; it may accept or close the socket with it."""
        await super().send(message)
        if message["type"] != "websocket.send":
            self._kept_in.recount(self)

    def send_receive_event_to_app(self) -> None:
        """Hand a whole message on."""
        self._unfinished_since = None
        super().send_receive_event_to_app()

    def _hold_unfinished(self) -> None:
        """Count what there is of a message that is not whole, and close the socket where that is too much."""
        unfinished = sum(map(len, self.frames)) + len(self.conn.reader.buffer)
        if unfinished == self._held_bytes:
            return
        if not self._hold(unfinished - self._held_bytes):
            self._end(_TRY_LATER, "Too much is being sent at once.")
            return
        self._held_bytes = unfinished
        if not unfinished:
            self._unfinished_since = None
        elif self._unfinished_since is None:
            self._unfinished_since = self.loop.time()

    def _forget_unfinished(self) -> None:
        self._hold(-self._held_bytes)
        self._held_bytes = 0
        self._unfinished_since = None

    def _end(self, code: int, reason: str) -> None:
        self._forget_unfinished()
        self.frames.clear()
        while not self.queue.empty():
            self.queue.get_nowait()
        self.conn.fail(code, reason)
        self.handle_parser_exception()

    def pause_writing(self) -> None:
        """The peer does not read as fast as it is written to: what it sends (pings have answers, too) waits as well."""
        self._paused_since = self.loop.time()
        super().pause_writing()
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """The peer has read what was waiting."""
        self._paused_since = None
        super().resume_writing()
        if not self.read_paused:
            self.transport.resume_reading()

    async def receive(self) -> ASGIReceiveEvent:
        """Return what came next, and read on when nothing else waits."""
        message = await self.queue.get()
        if self.read_paused and self.queue.empty():
            self.read_paused = False
            if self.writable.is_set():
                self.transport.resume_reading()
        return message
