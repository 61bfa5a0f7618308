"""HTTP/1.1 on one connection: uvicorn's protocol with limits for heads, pipelines, and time."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from rxchat.server.connection_limits import HEAD_SECONDS, WRITE_SECONDS, ClosingDeadline, ConnectionLimits

HEAD_BYTES = 64_000
"""Of request line and headers, of chunk extensions, of trailers: data that the parser buffers until it is complete."""
HEADERS = 128
PIPELINED = 16
"""Pipelined requests that may wait on one connection for the responses to earlier ones."""
SLICE_BYTES = 65_536

_BUSY = b"Too many connections. Close some, or try again in a few seconds.\n"
_BUSY_ANSWER = (
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\nconnection: close\r\ncontent-type: text/plain\r\n"
)
_BUSY_ANSWER += b"content-length: %d\r\n\r\n" % len(_BUSY) + _BUSY
_TOO_LARGE_ANSWER = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class TooMuch(Exception):
    """A part of a request exceeds a limit."""


class NoUpgrade(Exception):
    """The request cannot upgrade its connection to a websocket."""


class HttpProtocol(HttpToolsProtocol):
    """One HTTP connection."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._kept_in: ConnectionLimits = self.config.open_connections  # pyright: ignore[reportAttributeAccessIssue]
        self._waiting_since: float | None = self.loop.time()
        self._paused_since: float | None = None
        self._closing = ClosingDeadline()
        self._answering: RequestResponseCycle | None = None
        self._is_refused = False
        self._has_progressed = False
        self._is_in_body = False
        self._unread_bytes = 0
        self._head_bytes = 0

    @property
    def is_counted(self) -> bool:
        """Always True: an HTTP connection counts for its address."""
        return True

    @property
    def is_idle(self) -> bool:
        """Whether no request is being served."""
        return self._waiting_since is not None and not self.transport.is_closing()

    def overdue(self, now: float) -> str | None:
        """Return the name of the timeout that the peer exceeded, or None."""
        if self._closing.is_over(self.transport, now):
            return "closing"
        if self._paused_since is not None and now - self._paused_since > WRITE_SECONDS:
            return "not reading"
        if self._waiting_since is not None and now - self._waiting_since > HEAD_SECONDS:
            return "silent"
        return None

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Add the connection to the limits, or refuse it before any data is read."""
        super().connection_made(transport)
        if not self._kept_in.admit(self, self.client[0] if self.client else ""):
            self._refuse(_BUSY_ANSWER)

    def connection_lost(self, exc: Exception | None) -> None:
        """Remove the connection from the limits, and cancel all of its requests."""
        self._kept_in.release(self)
        self._end_requests()
        super().connection_lost(exc)

    def _end_requests(self) -> None:
        # uvicorn notifies the latest request; the one that is being answered may be another one.
        for cycle in (self._answering, self.cycle, *(cycle for cycle, _ in self.pipeline)):
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        self.pipeline.clear()

    def data_received(self, data: bytes) -> None:
        """Parse data, unless the head exceeds its limit."""
        if self._is_refused:
            return
        self._has_progressed = False
        super().data_received(data)
        self._unread_bytes = 0 if self._has_progressed else self._unread_bytes + len(data)
        if self._unread_bytes > HEAD_BYTES and not self.transport.is_closing():
            self._refuse(_TOO_LARGE_ANSWER)

    def on_message_begin(self) -> None:
        """Start a request.

        Raises:
            TooMuch: if too many requests wait already.
        """
        if len(self.pipeline) >= PIPELINED:
            raise TooMuch
        self._head_bytes = 0
        self._is_in_body = False
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Read a part of the request line."""
        self._count(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Read a header; ignores headers after the body (trailers)."""
        self._count(name, value)
        if not self._is_in_body:
            super().on_header(name, value)

    def _count(self, *parts: bytes) -> None:
        self._head_bytes += sum(map(len, parts))
        if self._head_bytes > HEAD_BYTES or len(self.headers) >= HEADERS:
            raise TooMuch

    def on_headers_complete(self) -> None:
        """Serve the request; from now on the connection waits for the application, not for the peer.

        Raises:
            NoUpgrade: if it requests a websocket and cannot have one.
        """
        self._has_progressed = True
        self._waiting_since = None
        self._is_in_body = True
        if self._asks_for_a_websocket and (self._is_answering or self._has_body):
            raise NoUpgrade
        super().on_headers_complete()

    @property
    def _asks_for_a_websocket(self) -> bool:
        return self.parser is not None and self.parser.should_upgrade() and self._should_upgrade()

    @property
    def _is_answering(self) -> bool:
        """Whether a response is incomplete or not sent yet: a websocket would write between its parts."""
        return bool(self._has_open_requests or self.transport.get_write_buffer_size())

    @property
    def _has_open_requests(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    @property
    def _has_body(self) -> bool:
        lengths = (value for name, value in self.headers if name == b"content-length")
        return any(name == b"transfer-encoding" for name, _ in self.headers) or any(value != b"0" for value in lengths)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def on_body(self, body: bytes) -> None:
        """Buffer a part of the body."""
        self._has_progressed = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Finish the request's body."""
        self._has_progressed = True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request until a timeout."""
        if not self.pipeline:
            self._waiting_since = self.loop.time()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Pause: the peer reads more slowly than the application writes."""
        self._paused_since = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        """Resume: the peer has read the buffered data."""
        self._paused_since = None
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Refuse an invalid request, but not in the middle of another response."""
        if self._has_open_requests:
            self._refuse(b"")
        elif self._head_bytes > HEAD_BYTES or len(self.headers or ()) >= HEADERS:
            self._refuse(_TOO_LARGE_ANSWER)
        else:
            self._is_refused = True
            super().send_400_response(msg)

    def _refuse(self, answer: bytes) -> None:
        self._is_refused = True
        if self._has_open_requests:
            self._end_requests()
            self.transport.abort()
            return
        self.transport.write(answer)
        self.transport.close()


class SlicedBodies:
    """Sends large parts of bodies in slices, each after the peer has read the one before."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or websocket."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_slices(message: Message) -> None:
            body = message.get("body", b"")
            if len(body) <= SLICE_BYTES:
                await send(message)
                return
            last = range(0, len(body), SLICE_BYTES)[-1]
            for start in range(0, len(body), SLICE_BYTES):
                more = start != last or message.get("more_body", False)
                await send({"type": message["type"], "body": body[start : start + SLICE_BYTES], "more_body": more})

        await self._app(scope, receive, send_slices)
