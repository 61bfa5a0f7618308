"""Responses that last: server-sent events and lines of JSON, which end when the client leaves or loses its rights."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AsyncExitStack, aclosing, contextmanager, suppress
from typing import Any
from uuid import UUID

from fastapi import Depends, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from rxchat import observability
from rxchat.api.requests import SignedIn, authenticate, is_cross_site
from rxchat.domain.errors import DatabaseUnavailable, NotAllowed, RxChatError, TooManyAttempts
from rxchat.services.app.container import Services

STREAMS = 1_024
"""The maximum in this process."""
STREAMS_OF_ONE_USER = 32
CHECK_SECONDS = 2.0
"""How often a stream checks that its user may still read it. With the cache of sessions, a stream ends 4 s after its key."""
HEARTBEAT_SECONDS = 15.0
"""Shorter than the idle timeouts of proxies (60 s in nginx)."""
HEARTBEAT = b": keep-alive\n\n"
_LEAVE_SECONDS = 5.0
_NO_BUFFERING = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class StreamingPlaces:
    """Counts the streams of a process, in total and for each user."""

    def __init__(self) -> None:
        self._open: Counter[UUID] = Counter()

    @contextmanager
    def place(self, user_id: UUID) -> Iterator[None]:
        """Reserve a stream while the context is open.

        Raises:
            TooManyAttempts: when the user or the process has the maximum number.
        """
        if self._open[user_id] >= STREAMS_OF_ONE_USER:
            raise TooManyAttempts(
                f"{STREAMS_OF_ONE_USER} streams of yours are open. Close one of them first.", retry_after_seconds=5
            )
        if self._open.total() >= STREAMS:
            raise TooManyAttempts("Too many streams are open. Try again in a moment.", retry_after_seconds=5)
        self._open[user_id] += 1
        observability.API_STREAMS.inc()
        try:
            yield
        finally:
            observability.API_STREAMS.dec()
            self._open[user_id] -= 1
            if not self._open[user_id]:
                del self._open[user_id]


PLACES = StreamingPlaces()


async def _stream_place(request: Request, current_user: SignedIn) -> AsyncGenerator[None]:
    """Use one of the user's streams until the response has ended; pages of other sites start none.

    Raises:
        NotAllowed: if a page of another site started it.
        TooManyAttempts: if no place is free.
    """
    if is_cross_site(request, request.app.state.own_origins):
        raise NotAllowed("A page of another site started this stream. Start it in RxChat.")
    with PLACES.place(current_user.user_id):
        yield


STREAM = Depends(_stream_place)


class LastingResponse(Response):
    """Sends what a generator yields, and closes the generator as soon as the client disconnects.

    Starlette's StreamingResponse leaves a generator that waits to be sent to the garbage collector, and so does its model.
    """

    def __init__(self, parts: AsyncGenerator[bytes], media_type: str = "text/event-stream", status: int = 200) -> None:
        super().__init__(None, status, _NO_BUFFERING, media_type)
        del self.headers["content-length"]
        self.parts = parts
        self.closing = AsyncExitStack()
        """What ends with the response, even if nothing of it was sent."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response."""
        async with self.closing:
            await self._send(scope, receive, send)

    async def _send(self, scope: Scope, receive: Receive, send: Send) -> None:
        leaving = asyncio.create_task(_disconnected(receive), name="a streaming client")
        writing = asyncio.create_task(self._write(send), name=f"a stream of {scope.get('path', '')[:100]}")
        try:
            await asyncio.wait({leaving, writing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
            if not writing.done():
                writing.cancel()
            # A generator that cleans up for long must not keep the connection's task.
            await asyncio.wait({leaving, writing}, timeout=_LEAVE_SECONDS)
        if writing.done() and not writing.cancelled():
            # The server reports a client that is gone by an OSError.
            with suppress(OSError):
                writing.result()

    async def _write(self, send: Send) -> None:
        async with aclosing(self.parts) as parts:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            async for part in parts:
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})


_LINE_ENDS = {ord(end): f"\\u{ord(end):04x}" for end in "\x85\u2028\u2029"}


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def sse(data: Any, event: str = "", event_id: str = "") -> bytes:
    """Return a server-sent event (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""
    head = (f"id: {event_id}\n" if event_id else "") + (f"event: {event}\n" if event else "")
    return head.encode() + b"data: " + _json(data) + b"\n\n"


def line(data: Any) -> bytes:
    """Return a line of JSON (application/x-ndjson)."""
    return _json(data) + b"\n"


def _json(data: Any) -> bytes:
    """Return JSON on one line, also for clients that end lines as Unicode does."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.translate(_LINE_ENDS).encode(errors="replace")


class Watch:
    """Checks, during a stream, that its request would still be accepted, and when a heartbeat is due."""

    def __init__(self, request: Request, services: Services) -> None:
        self._request = request
        self._services = services
        self._checked_at = self._sent_at = time.monotonic()

    async def check(self) -> None:
        """Check the credential again, if the last check was two seconds ago.

        Raises:
            NotSignedIn, SecondFactorNeeded: when it is not valid any more.
        """
        if time.monotonic() - self._checked_at < CHECK_SECONDS:
            return
        self._checked_at = time.monotonic()
        # A database that does not respond revokes nothing either.
        with suppress(DatabaseUnavailable):
            await authenticate(self._request, self._services)

    def sent(self) -> None:
        """Note that something was sent."""
        self._sent_at = time.monotonic()

    @property
    def is_silent(self) -> bool:
        """Whether nothing was sent for so long that a heartbeat is due; notes that it is sent."""
        if time.monotonic() - self._sent_at < HEARTBEAT_SECONDS:
            return False
        self.sent()
        return True


async def watched(
    request: Request,
    services: Services,
    parts: AsyncGenerator[bytes | None],
    failure: Callable[[RxChatError], bytes],
    *,
    heartbeat: bytes = HEARTBEAT,
) -> AsyncGenerator[bytes]:
    """Yield the parts while the client's credential is valid, with heartbeats where None comes.

    `failure(error)` makes the last part of a stream that fails, or whose client has lost its rights. An empty heartbeat is
    for protocols that have none.
    """
    watch = Watch(request, services)
    try:
        async with aclosing(parts) as yielded:
            async for part in yielded:
                await watch.check()
                if part is not None:
                    watch.sent()
                    yield part
                elif heartbeat and watch.is_silent:
                    yield heartbeat
    except RxChatError as error:
        yield failure(error)
