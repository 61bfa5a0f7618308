"""Limits on request bodies, counted as they arrive: headers and HTTP versions may not give their length."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rxchat.domain.errors import RequestTooLarge, RequestTooSlow, RxChatError

LARGEST_BODY_BYTES = 64_000
_BODY_SECONDS = 20.0
"""The timeout of a whole body; a client that sends a byte a minute would keep a connection for hours."""
_STREAMED_METHODS = {"PATCH", "POST"}


class BodyLimit:
    """Reads each body before the application sees its request; refuses bodies that are too large or too slow.

    Starlette's own limit (`max_body_size`) has no timeout, and its error has not the form of this API's errors.

    Routes in `streamed` read their bodies chunk by chunk, with their own limits.
    """

    def __init__(self, app: ASGIApp, streamed: Sequence[str] = ()) -> None:
        self._app = app
        self._streamed = tuple(streamed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        is_streamed = scope.get("path", "").startswith(self._streamed) and scope.get("method") in _STREAMED_METHODS
        if scope["type"] != "http" or is_streamed:
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                body = await _read(scope, receive)
        except TimeoutError:
            await error_response(RequestTooSlow())(scope, receive, send)
        except RequestTooLarge as error:
            await error_response(error)(scope, receive, send)
        else:
            if body is not None:
                await self._app(scope, _replayed(body, receive), send)


async def _read(scope: Scope, receive: Receive) -> bytes | None:
    """Return the whole body, or None if the client disconnects.

    Raises:
        RequestTooLarge: as soon as the body, or its Content-Length, exceeds the limit.
    """
    announced = next((value for name, value in scope["headers"] if name.lower() == b"content-length"), b"0")
    if not announced.isdigit() or int(announced) > LARGEST_BODY_BYTES:
        raise RequestTooLarge
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > LARGEST_BODY_BYTES:
            raise RequestTooLarge
        if not message.get("more_body", False):
            return bytes(body)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that returns the body once, and then what the connection receives."""
    is_said = False

    async def receive_again() -> Message:
        nonlocal is_said
        if is_said:
            return await receive()
        is_said = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


def error_response(error: RxChatError) -> Response:
    """Return an error in the API's form. Closes the connection, since more of the body may arrive."""
    return JSONResponse(
        {"error": {"code": error.code, "message": error.message}},
        status_code=error.status,
        headers={"Connection": "close", "Cache-Control": "no-store"},
    )
