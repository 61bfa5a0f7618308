"""The header Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): a request that is sent again is made once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing
from typing import Annotated
from uuid import UUID, uuid5

from fastapi import Header, Request, Response
from pydantic import BaseModel

from rxchat.api.event_streams import LastingResponse
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.errors import InvalidInput
from rxchat.services.accounts.idempotency import LARGEST_ANSWER_BYTES, Claim
from rxchat.services.app.container import Services

IdempotencyKey = Annotated[
    str,
    Header(max_length=200, pattern=r"^[\x21-\x7e]*$", description="Makes a request once, however often it is sent."),
]
_KEPT_HEADERS = ("location",)
_FAILED = b'data: {"error":'
_NAMESPACE = UUID("5f0c1b8e-6a0e-4e0b-9a51-3a8f1e6f2d10")


def hash_of(request: Request, body: BaseModel) -> bytes:
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


def id_from(current_user: CurrentUser, key: str, request_hash: bytes) -> UUID | None:
    """Return the ID of a message that a key makes, which is the same after a process died in the middle; None without a key."""
    return uuid5(_NAMESPACE, f"{current_user.user_id} {key} {request_hash.hex()}") if key else None


async def once(
    request: Request,
    services: Services,
    current_user: CurrentUser,
    key: str,
    body: BaseModel,
    make: Callable[[], Awaitable[Response]],
) -> Response:
    """Return the response that `make` returns, or the one that it returned to an earlier request with this key.

    Failures are not kept: a request that failed can be made again. A stream is kept when it has ended well.
    """
    if not key:
        return await make()
    keys = services.accounts.idempotency_keys
    kept = await keys.find_or_claim(current_user.user_id, key, hash_of(request, body))
    if kept is not None:
        headers = {"Idempotent-Replayed": "true", **kept.headers}
        return Response(kept.body or b"", kept.status or 200, headers)
    async with AsyncExitStack() as ending:
        claim = await ending.enter_async_context(keys.held(current_user.user_id, key))
        response = await make()
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
