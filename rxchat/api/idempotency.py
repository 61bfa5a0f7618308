"""The header Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): a request that is sent again is made once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing
from typing import Annotated
from uuid import UUID

from fastapi import Header, Request, Response
from pydantic import BaseModel

from rxchat.api.event_streams import LastingResponse
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.errors import InvalidInput
from rxchat.domain.idempotency import KeptAnswer
from rxchat.services.accounts.idempotency import LARGEST_ANSWER_BYTES, Claim
from rxchat.services.app.container import Services

IdempotencyKey = Annotated[
    str,
    Header(max_length=200, pattern=r"^[\x21-\x7e]*$", description="Makes a request once, however often it is sent."),
]
_KEPT_HEADERS = ("location",)
_FAILED = b'data: {"error":'


def _hash_of(request: Request, body: BaseModel) -> bytes:
    """Return what identifies a request: its address and its body.

    Raises:
        InvalidInput: when the body is nested too deeply.
    """
    try:
        # Pydantic's own JSON refuses lone surrogates, which JSON's escapes allow.
        given = json.dumps(body.model_dump(), sort_keys=True, default=str)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("The request is nested too deeply.") from error
    said = f"{request.method} {request.url.path}\n{given}"
    return hashlib.sha256(said.encode(errors="replace")).digest()


async def once(
    request: Request,
    services: Services,
    current_user: CurrentUser,
    key: str,
    body: BaseModel,
    make: Callable[[UUID | None], Awaitable[Response]],
) -> Response:
    """Return the response that `make` returns, or the one that it returned to an earlier request with this key.

    `make` gets an ID for what it makes, which is the same when a process died while it made it; None without a key.
    Failures are not kept: a request that failed can be made again. A stream is kept when it has ended well.
    """
    if not key:
        return await make(None)
    keys = services.accounts.idempotency_keys
    found = await keys.find_or_claim(current_user.user_id, key, _hash_of(request, body))
    if isinstance(found, KeptAnswer):
        headers = {"Idempotent-Replayed": "true", **found.headers}
        return Response(found.body or b"", found.status or 200, headers)
    async with AsyncExitStack() as ending:
        claim = await ending.enter_async_context(keys.holding(found))
        response = await make(found.request_id)
        if isinstance(response, LastingResponse):
            # The claim ends with the stream.
            response.closing.push_async_exit(ending.pop_all())
            response.parts = _kept(response.parts, claim, _headers(response))
        elif response.status_code < 300:
            claim.keep(response.status_code, _headers(response), bytes(response.body))
        return response


def _headers(response: Response) -> dict[str, str]:
    kept = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    return {"content-type": response.headers["content-type"], **kept}


async def _kept(parts: AsyncGenerator[bytes], claim: Claim, headers: dict[str, str]) -> AsyncGenerator[bytes]:
    """Yield the parts, and keep them together when the stream has ended without an error."""
    whole, has_failed = bytearray(), False
    async with aclosing(parts) as sent:
        async for part in sent:
            has_failed = part.startswith(_FAILED)
            if len(whole) <= LARGEST_ANSWER_BYTES:
                whole += part
            yield part
    if not has_failed:
        claim.keep(200, headers, bytes(whole))
