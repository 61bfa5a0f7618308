"""Limits on request bodies, counted as they arrive: headers and HTTP versions may not give their length."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rxchat.api.errors import OLLAMA, OPENAI, V1, error_response
from rxchat.api.large_bodies import LargeBodies
from rxchat.domain.errors import NotAllowed, RequestTooLarge, RequestTooSlow, RxChatError, TooManyAttempts

LARGEST_BODY_BYTES = 64_000
LARGEST_COMPLETION_BYTES = 20_000_000
"""A whole conversation with its images; beyond 64,000 bytes, only of users who may ask models."""
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
        self._large_bodies = LargeBodies()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        is_streamed = scope.get("path", "").startswith(self._streamed) and scope.get("method") in _STREAMED_METHODS
        if scope["type"] != "http" or is_streamed:
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                body = await _Body(scope, receive).read(self._large_bodies)
        except TimeoutError:
            await closing_response(scope, RequestTooSlow())(scope, receive, send)
        except RxChatError as error:
            await closing_response(scope, error)(scope, receive, send)
        else:
            if body is not None:
                await self._app(scope, _replayed(body, receive), send)


class _Body:
    """A request's body as it arrives."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._scope = scope
        self._receive = receive
        self._most = _most(scope)
        self._bytes = bytearray()
        self._values = 0
        self._is_whole = False

    async def read(self, large_bodies: LargeBodies) -> bytes | None:
        """Return the whole body, or None if the client disconnects. A large one is read only with a place for it.

        Raises:
            RequestTooLarge: as soon as the body, or its Content-Length, exceeds the limit, or it has too many values.
            NotSignedIn, NotAllowed, TooManyAttempts: when it is large and has no place; see LargeBodies.
        """
        announced = next((value for name, value in self._scope["headers"] if name.lower() == b"content-length"), b"0")
        if not announced.isdigit() or len(announced) > _LENGTH_DIGITS or int(announced) > self._most:
            raise self._too_large()
        free = LARGEST_BODY_BYTES if self._most == LARGEST_COMPLETION_BYTES else self._most
        if int(announced) <= free:
            await self._up_to(free)
        if max(len(self._bytes), int(announced)) > free and self._most > free:
            try:
                async with large_bodies.admitted(self._scope):
                    await self._up_to(self._most)
            except (NotAllowed, RequestTooLarge, TooManyAttempts):
                # Known clients get to read the refusal: closed in the middle of what they send, they would only see that.
                await self._discard_rest()
                raise
        if len(self._bytes) > self._most:
            raise self._too_large()
        return bytes(self._bytes) if self._is_whole else None

    async def _up_to(self, most: int) -> None:
        """Take what arrives until it is all, the client disconnects, or it is more than so many bytes."""
        while not self._is_whole and len(self._bytes) <= most:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                return
            part = message.get("body", b"")
            self._bytes += part
            self._is_whole = not message.get("more_body", False)
            # Counted part by part: all at once would keep the process busy as reading a picture does.
            self._values += sum(map(part.count, _PUNCTUATION))
            if self._values > _MOST_VALUES:
                raise RequestTooLarge(f"The request has too many values: about {_MOST_VALUES:,} are allowed.")

    async def _discard_rest(self) -> None:
        """Take what arrives, up to the limit, and keep nothing of it."""
        length = len(self._bytes)
        while not self._is_whole and length <= self._most:
            message = await self._receive()
            length += len(message.get("body", b""))
            self._is_whole = not message.get("more_body", False)

    def _too_large(self) -> RequestTooLarge:
        return RequestTooLarge(f"The request is too large: at most {self._most:,} bytes are allowed.")


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


def closing_response(scope: Scope, error: RxChatError) -> Response:
    """Return an error in the API's form. Closes the connection, since more of the body may arrive."""
    response = error_response(scope.get("path", ""), error)
    response.headers["Connection"] = "close"
    response.headers["Cache-Control"] = "no-store"
    return response
