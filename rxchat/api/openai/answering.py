"""What the routes of stateless answers have in common: a model that stops when its client leaves, plain and streamed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import AsyncExitStack, aclosing
from typing import Any, TypeVar

from fastapi import Request

from rxchat.api.errors import ClientLeft, error_body
from rxchat.api.event_streams import HEARTBEAT, LastingResponse, line, sse, watched
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.errors import RxChatError
from rxchat.services.app.container import Services
from rxchat.services.chat.completions import Parts, Question

_T = TypeVar("_T")
_SILENT_TICKS = 5
"""After ten seconds without a word a stream begins its response, whose status is known then: proxies want to see something."""
EVENTS, LINES = "text/event-stream", "application/x-ndjson"
DONE = b"data: [DONE]\n\n"


async def unless_left(request: Request, work: Coroutine[Any, Any, _T]) -> _T:
    """Return what `work` returns; cancel it when the client disconnects.

    Raises:
        ClientLeft: when the client disconnected.
    """
    working, leaving = asyncio.create_task(work), asyncio.create_task(_left(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise ClientLeft
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def whole(services: Services, current_user: CurrentUser, question: Question) -> Parts:
    """Return everything that the models write."""
    everything: Parts = []
    async with aclosing(services.chat.completions.ask(current_user, question)) as arriving:
        async for parts in arriving:
            everything += parts or ()
    return everything


async def streamed(
    request: Request,
    services: Services,
    current_user: CurrentUser,
    question: Question,
    encoded: Callable[[Parts], bytes],
    last: Callable[[], bytes],
    media_type: str = EVENTS,
) -> LastingResponse:
    """Return a response that streams an answer, once its first words are there; a failure before them has its own status.

    `last` makes what follows the last part.
    """
    arriving = services.chat.completions.ask(current_user, question)

    async def first() -> list[Parts | None]:
        seen: list[Parts | None] = []
        async for parts in arriving:
            seen.append(parts)
            if parts is not None or len(seen) >= _SILENT_TICKS:
                break
        return seen

    async with AsyncExitStack() as closing:
        # Unless the response takes it over, the model stops here.
        closing.push_async_callback(arriving.aclose)
        seen = await unless_left(request, first())
        closing.pop_all()

    async def parts_of() -> AsyncGenerator[bytes | None]:
        async with aclosing(arriving) as rest:
            for parts in seen:
                yield encoded(parts) if parts else None
            async for parts in rest:
                yield encoded(parts) if parts else None
            yield last()

    def failed(error: RxChatError) -> bytes:
        body = error_body(request.url.path, error)
        return sse(body) if media_type == EVENTS else line(body)

    heartbeat = HEARTBEAT if media_type == EVENTS else b""
    checked = watched(request, services, parts_of(), failed, heartbeat=heartbeat)
    response = LastingResponse(checked, media_type)
    response.closing.push_async_callback(arriving.aclose)
    return response
