"""Limits on request bodies, counted as they arrive: headers and HTTP versions may not give their length."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rxchat.api.errors import OLLAMA, OPENAI, V1, error_response
from rxchat.api.requests import authenticate
from rxchat.domain.errors import RequestTooLarge, RequestTooSlow, RxChatError
from rxchat.services.app import container

LARGEST_BODY_BYTES = 64_000
LARGEST_COMPLETION_BYTES = 20_000_000
"""A whole conversation with its images; beyond 64,000 bytes, only of clients with a valid credential."""
_PUNCTUATION = (b",", b"[", b"{")
_MOST_VALUES = 300_000
"""JSON of more values would keep the process busy for a tenth of a second, in which nothing else is served."""
LARGEST_V1_BODY_BYTES = 1_000_000
"""A message of 100,000 characters, each of which JSON may write in six bytes, with what is sent beside it."""
_LENGTH_DIGITS = 15
"""Python refuses to read numbers of thousands of digits."""
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
            await closing_response(scope, RequestTooSlow())(scope, receive, send)
        except RxChatError as error:
            await closing_response(scope, error)(scope, receive, send)
        else:
            if body is not None:
                await self._app(scope, _replayed(body, receive), send)


async def _read(scope: Scope, receive: Receive) -> bytes | None:
    """Return the whole body, or None if the client disconnects.

    Raises:
        RequestTooLarge: as soon as the body, or its Content-Length, exceeds the limit.
        NotSignedIn: when it is larger than other clients may send, and no credential proves its sender.
    """
    most = _most(scope)
    announced = next((value for name, value in scope["headers"] if name.lower() == b"content-length"), b"0")
    if not announced.isdigit() or len(announced) > _LENGTH_DIGITS or int(announced) > most:
        raise _too_large(most)
    is_known = most <= LARGEST_V1_BODY_BYTES
    body = bytearray()
    while True:
        if not is_known and max(len(body), int(announced)) > LARGEST_BODY_BYTES:
            # Before a large body is in memory.
            await authenticate(Request(scope), container.get_services())
            is_known = True
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > most:
            raise _too_large(most)
        if not message.get("more_body", False):
            break
    if len(body) > LARGEST_BODY_BYTES and sum(map(body.count, _PUNCTUATION)) > _MOST_VALUES:
        raise RequestTooLarge(f"The request has too many values: about {_MOST_VALUES:,} are allowed.")
    return bytes(body)


def _most(scope: Scope) -> int:
    path = scope.get("path", "")
    if path.startswith((OPENAI, OLLAMA)):
        return LARGEST_COMPLETION_BYTES
    return LARGEST_V1_BODY_BYTES if path.startswith(V1) else LARGEST_BODY_BYTES


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


def _too_large(most: int) -> RequestTooLarge:
    return RequestTooLarge(f"The request is too large: at most {most:,} bytes are allowed.")


def closing_response(scope: Scope, error: RxChatError) -> Response:
    """Return an error in the API's form. Closes the connection, since more of the body may arrive."""
    response = error_response(scope.get("path", ""), error)
    response.headers["Connection"] = "close"
    response.headers["Cache-Control"] = "no-store"
    return response
