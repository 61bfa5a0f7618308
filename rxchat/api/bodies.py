"""Request bodies: counted as they arrive, whatever their headers and their protocol's version say of their length."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rxchat.domain.errors import RequestTooLarge, RequestTooSlow, RxChatError

LARGEST_BODY_BYTES = 64_000
_BODY_SECONDS = 20.0
"""How long a whole body of at most that size may take; one that trickles in would hold a place for hours."""
_STREAMED_METHODS = {"PATCH", "POST"}


class BodyLimit:
    """Reads each body whole before the application sees its request; refuses one that is too large or too slow.

    Starlette has a limit of its own (`max_body_size`), but none for time, and its error has another form than ours.

    Paths in `streamed` read theirs piece by piece, with limits of their own.
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
    """Return the whole body, or None when the client is gone.

    Raises:
        RequestTooLarge: as soon as it is, or announces to be.
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
    """Return a `receive` that says the body once, and then what the connection says."""
    is_said = False

    async def receive_again() -> Message:
        nonlocal is_said
        if is_said:
            return await receive()
        is_said = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


def error_response(error: RxChatError) -> Response:
    """Return an error in the one form that all of the API's errors have. The connection ends: more may be coming."""
    return JSONResponse(
        {"error": {"code": error.code, "message": error.message}},
        status_code=error.status,
        headers={"Connection": "close", "Cache-Control": "no-store"},
    )
