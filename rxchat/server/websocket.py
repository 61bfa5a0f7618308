"""One websocket: uvicorn's protocol with limits on incomplete and pending messages."""

from __future__ import annotations

import asyncio
import socket
from asyncio.transports import BaseTransport
from collections import deque
from time import perf_counter
from typing import Any

from uvicorn._types import ASGIReceiveEvent, ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request

from rxchat import observability
from rxchat.asgi_extensions import ABORT, LIMIT_MESSAGES, Hold
from rxchat.domain.rate_limits import TokenBucket
from rxchat.server.connection_limits import HEAD_SECONDS, WRITE_SECONDS, ClosingDeadline, ConnectionLimits
from rxchat.server.websocket_parse_scheduler import STEP_SECONDS, FrameReader, ParseScheduler

MESSAGE_BYTES = 64_000
"""The default limit of a message, which the application can change for a socket."""
MESSAGE_SECONDS = 20.0
"""From a message's first byte to its last."""
FRAGMENTS = 64
WAITING_MESSAGES = 256
"""Received messages that the application has not read yet; at the limit, parsing pauses."""
WAITING_BYTES = 1_000_000
"""Of pending messages, or one message of the socket's largest size."""
BURST_MESSAGES, MESSAGE_EVERY_SECONDS = 2, 8
"""Of a socket's largest messages, decompressed; faster ones wait in the connection."""

IDLE_HANDSHAKE_SECONDS = 5.0
"""An older handshake is aborted in favor of a new connection at a limit."""

_REFUSED = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_SEND_BUFFER_BYTES = 131_072
_NOT_UTF8, _POLICY_VIOLATED, _TRY_LATER = 1007, 1008, 1013


def _hold_anything(_size: int) -> bool:
    return True


def _is_utf8(pieces: list[bytes]) -> bool:
    try:
        b"".join(pieces).decode()
    except UnicodeDecodeError:
        return False
    return True


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """One connection that was upgraded to a websocket."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._kept_in: ConnectionLimits = self.config.open_connections  # pyright: ignore[reportAttributeAccessIssue]
        self._closing = ClosingDeadline()
        self._began_at = self.loop.time()
        self._paused_since: float | None = None
        self._unfinished_since: float | None = None
        self._hold: Hold = _hold_anything
        self._held_bytes = 0
        self._waiting: deque[int] = deque()
        self._waiting_bytes = 0
        self._scheduler: ParseScheduler = self.config.parse_scheduler  # pyright: ignore[reportAttributeAccessIssue]
        self._is_asking = False
        self._asks_later: asyncio.TimerHandle | None = None
        self._reader = self.conn.reader = FrameReader()
        self.conn.parser = self.conn.parse()
        next(self.conn.parser)
        self._limit_messages(MESSAGE_BYTES, _hold_anything)

    def overdue(self, now: float) -> str | None:
        """Return the name of the timeout that the peer exceeded, or None."""
        if self._closing.is_over(self.transport, now):
            return "closing"
        if self._paused_since is not None and now - self._paused_since > WRITE_SECONDS:
            return "not reading"
        if not self.handshake_complete and now - self._began_at > HEAD_SECONDS:
            return "handshake"
        if self.read_paused and self._unfinished_since is not None:
            # The rest may be in the buffer: the socket does not wait for the peer.
            self._unfinished_since = now
        if self._unfinished_since is not None and now - self._unfinished_since > MESSAGE_SECONDS:
            return "unfinished message"
        return None

    @property
    def is_counted(self) -> bool:
        """Whether it counts for its address: until the application accepts it, and again while it closes."""
        return not self.handshake_complete or self.close_sent or self.transport.is_closing()

    @property
    def is_idle(self) -> bool:
        """Whether its handshake takes long, or it waits for its peer to close it."""
        is_slow = not self.handshake_complete and self.loop.time() - self._began_at > IDLE_HANDSHAKE_SECONDS
        return (is_slow or self.close_sent) and not self.transport.is_closing()

    def connection_made(self, transport: BaseTransport) -> None:
        """Take over the connection from HTTP."""
        super().connection_made(transport)
        before: Any = self.transport.get_protocol()
        self._kept_in.replace(before, self)
        found = transport.get_extra_info("socket")
        if found is not None:
            # The kernel's buffer for a peer that does not read would grow to some megabytes.
            found.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)

    def connection_lost(self, exc: Exception | None) -> None:
        """Release the bytes of incomplete messages; the application still reads the others."""
        self._kept_in.release(self)
        if self._asks_later is not None:
            self._asks_later.cancel()
        self._forget_unfinished()
        super().connection_lost(exc)

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        """Release the bytes of messages that the application did not read."""
        self._forget_waiting()
        self._hold_what_is_there()
        super().on_task_complete(task)

    def handle_connect(self, event: Request) -> None:
        """Start the handshake, and let the application set the limits on messages."""
        super().handle_connect(event)
        if not self.close_sent:
            extensions: dict[str, Any] = self.scope.setdefault("extensions", {})  # pyright: ignore[reportAssignmentType]
            extensions |= {LIMIT_MESSAGES: self._limit_messages, ABORT: self.transport.abort}

    def _limit_messages(self, most_bytes: int, hold: Hold) -> None:
        self.conn.max_message_size = most_bytes
        self._bucket = TokenBucket(BURST_MESSAGES * most_bytes, most_bytes / MESSAGE_EVERY_SECONDS)
        self._hold(-self._held_bytes)
        self._held_bytes = 0
        self._hold = hold

    def data_received(self, data: bytes) -> None:
        """Buffer data, and parse it at this socket's turn."""
        if self.transport.is_closing():
            return
        if self.handshake_initiated:
            self._reader.feed_data(data)
            self._ask()
        else:
            self._shake_hands(data)

    def _ask(self) -> None:
        """Schedule parsing of the buffer, and pause or resume reading."""
        if not self._is_asking and not self.transport.is_closing():
            self._is_asking = True
            self._scheduler.ask(self._take_turn, is_last=self._bucket.is_used)
            self._read_or_not()

    def _take_turn(self) -> bool:
        self._is_asking = self._parse()
        if self.transport.is_closing():
            self._forget_unfinished()
        elif not self._hold_what_is_there():
            self._end(_TRY_LATER, "Too much data at once.")
        self._is_asking = self._is_asking and not self.transport.is_closing()
        self._read_or_not()
        return self._is_asking

    def _parse(self) -> bool:
        """Parse frame by frame, and return whether more frames are left for another turn."""
        ends_at = perf_counter() + STEP_SECONDS
        while self._may_parse():
            self._reader.begin()
            super().data_received(b"")
            if self.transport.is_closing() or not self._reader.has_more:
                break
            if len(self.frames) > FRAGMENTS:
                self._end(_POLICY_VIOLATED, "Too many fragments.")
            elif perf_counter() > ends_at:
                return True
        return False

    def _may_parse(self) -> bool:
        if not self.handshake_complete or not self.writable.is_set() or self.transport.is_closing():
            return False
        if (pause := self._bucket.seconds_until_more()) > 0:
            self._asks_later = self._asks_later or self.loop.call_later(pause, self._ask_now)
            return False
        most = min(WAITING_BYTES, self.conn.max_message_size or WAITING_BYTES)
        return len(self._waiting) < WAITING_MESSAGES and self._waiting_bytes < most

    def _ask_now(self) -> None:
        self._asks_later = None
        self._ask()

    def _read_or_not(self) -> None:
        """Resume reading if the buffer is parsed and the application has read the messages; otherwise pause."""
        if self.transport.is_closing():
            return
        is_done = not self._is_asking and not self._reader.has_more and (self.close_sent or not self._waiting)
        is_paused = not is_done or (self.handshake_complete and not self._may_parse())
        if is_paused == self.read_paused:
            return
        self.read_paused = is_paused
        (self.transport.pause_reading if is_paused else self.transport.resume_reading)()

    def _shake_hands(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            # The core does not recognize this as a handshake, and would not answer it.
            self.handshake_complete = self.close_sent = True
            self.transport.write(b"".join(self.conn.data_to_send()) or _REFUSED)
            self.transport.close()

    async def send(self, message: ASGISendEvent) -> None:
        """Send an event of the application, which may accept or close the socket."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and self.close_sent:
            # The core does not count a refusal as the answer to a handshake, and would log an error.
            self.handshake_complete = True
        if message["type"] != "websocket.send":
            self._kept_in.recount(self)
            self._ask()

    def handle_events(self) -> None:
        """Handle parsed frames, and free them: the core would keep the last frame until the next one."""
        events = list(self.conn.events)
        super().handle_events()
        for event in events:
            if isinstance(event, Frame):
                event.data = b""

    def send_receive_event_to_app(self) -> None:
        """Pass a complete message to the application, if a text message is valid UTF-8."""
        self._unfinished_since = None
        if self.curr_msg_data_type == "text" and not self.close_sent and not _is_utf8(self.frames):
            observability.PACKETS_REFUSED.inc()
            self._end(_NOT_UTF8, "This text is not UTF-8.")
            return
        size = sum(map(len, self.frames))
        self._bucket.take(size)
        if not self.close_sent:
            self._waiting.append(size)
            self._waiting_bytes += size
        super().send_receive_event_to_app()

    def _hold_what_is_there(self) -> bool:
        """Count the bytes of incomplete and pending messages; False if they exceed the limit."""
        unfinished = sum(map(len, self.frames)) + self._reader.unfinished_bytes
        if not unfinished:
            self._unfinished_since = None
        elif self._unfinished_since is None:
            self._unfinished_since = self.loop.time()
        held = self._waiting_bytes + sum(map(len, self.frames)) + len(self._reader.buffer)
        if held != self._held_bytes and not self._hold(held - self._held_bytes):
            return False
        self._held_bytes = held
        return True

    def _forget_unfinished(self) -> None:
        self.frames.clear()
        self._reader.discard()
        self._hold_what_is_there()

    def _forget_waiting(self) -> None:
        self._waiting.clear()
        self._waiting_bytes = 0

    def _end(self, code: int, reason: str) -> None:
        while not self.queue.empty():
            self.queue.get_nowait()
        self._forget_waiting()
        self._forget_unfinished()
        self.conn.fail(code, reason)
        self.handle_parser_exception()

    def pause_writing(self) -> None:
        """Pause writing and reading: the peer reads too slowly, and its messages (pings, too) would cause answers."""
        self._paused_since = self.loop.time()
        super().pause_writing()
        self._read_or_not()

    def resume_writing(self) -> None:
        """Resume: the peer has read the buffered data."""
        self._paused_since = None
        super().resume_writing()
        self._ask()

    async def receive(self) -> ASGIReceiveEvent:
        """Return the next event, and resume parsing that waited for it."""
        message = await self.queue.get()
        if message["type"] == "websocket.receive" and self._waiting:
            self._waiting_bytes -= self._waiting.popleft()
            self._hold_what_is_there()
            if self.read_paused:
                self._ask()
        return message
