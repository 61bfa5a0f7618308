"""Error responses, each in the form of the API that the client speaks.

`/api/v1` answers with problem details (RFC 9457), `/v1` as OpenAI's API does, `/ollama` as Ollama's; other addresses, which
RxChat's own pages use, with an `error` of a `code` and a `message`. The codes are the same everywhere.
"""

from __future__ import annotations

import math
from typing import Any
from uuid import UUID

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from rxchat.api.requests import client_info_of
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.api_errors import InvalidJson, StillInProgress
from rxchat.domain.errors import (
    DatabaseBusy,
    InvalidInput,
    NotSignedIn,
    QuotaExceeded,
    RequestTooLarge,
    RxChatError,
    TooManyAttempts,
)
from rxchat.domain.ids import parse_id
from rxchat.domain.text import encodable
from rxchat.services.app import container

V1, OPENAI, OLLAMA = "/api/v1/", "/v1/", "/ollama/"
PROBLEM = "application/problem+json"
_LEFT = 499
_BUSY_SECONDS = 5
_PROGRESS_SECONDS = 1
_FIELD_CHARACTERS = 80
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
_LINKED = {"conversation_id", "message_id", "collection_id", "document_id"}
_REFUSALS = {
    404: ("not_found", "This address does not exist."),
    405: ("method_not_allowed", "This address does not support this method."),
    413: (RequestTooLarge.code, "The request is too large."),
}
_OPENAI_KINDS = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}


class ClientLeft(Exception):
    """The client disconnected before the response was complete."""


def install(api: FastAPI) -> None:
    """Answer every error of an app in the form of its address."""
    api.add_exception_handler(RxChatError, _show_error)
    api.add_exception_handler(RequestValidationError, _show_invalid)
    api.add_exception_handler(HTTPException, _show_refusal)
    api.add_exception_handler(ClientLeft, _show_nothing)
    api.add_exception_handler(Exception, _show_failure)


def error_response(path: str, error: RxChatError) -> JSONResponse:
    """Return an error as the API of this path sends it."""
    return _response(path, error.status, error.code, error.message, _headers(error), getattr(error, "field", ""))


def error_body(path: str, error: RxChatError) -> dict[str, Any]:
    """Return the body of an error: for streams, which have begun their response when they fail."""
    return _body(path, error.status, error.code, error.message, getattr(error, "field", ""))


def problem(status: int, code: str, message: str) -> dict[str, Any]:
    """Return an error as problem details; `code` is RxChat's extension, and `type` names the same."""
    return {
        "type": f"urn:rxchat:problem:{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "detail": message,
        "code": code,
    }


def _headers(error: RxChatError) -> dict[str, str]:
    if isinstance(error, TooManyAttempts | QuotaExceeded):
        return {"Retry-After": str(math.ceil(error.retry_after_seconds))}
    if isinstance(error, DatabaseBusy):
        return {"Retry-After": str(_BUSY_SECONDS)}
    if isinstance(error, StillInProgress):
        return {"Retry-After": str(_PROGRESS_SECONDS)}
    return {"WWW-Authenticate": "Bearer"} if isinstance(error, NotSignedIn) else {}


def _status(path: str, status: int) -> int:
    """Return the status as the clients of other APIs know it, which have no 422."""
    return 400 if status == 422 and path.startswith((OPENAI, OLLAMA)) else status


def _body(path: str, status: int, code: str, message: str, field: str = "") -> dict[str, Any]:
    if path.startswith(V1):
        return problem(status, code, message) | ({"field": field} if field else {})
    if path.startswith(OLLAMA):
        return {"error": message}
    if path.startswith(OPENAI):
        kind = "server_error" if status >= 500 else _OPENAI_KINDS.get(status, "invalid_request_error")
        if code == QuotaExceeded.code:
            # What OpenAI's clients look for.
            kind = code = "insufficient_quota"
        return {"error": {"message": message, "type": kind, "param": field or None, "code": code}}
    return {"error": {"code": code, "message": message}}


def _response(
    path: str, status: int, code: str, message: str, headers: dict[str, str] | None = None, field: str = ""
) -> JSONResponse:
    status = _status(path, status)
    media_type = PROBLEM if path.startswith(V1) else None
    return JSONResponse(_body(path, status, code, message, field), status, headers, media_type)


def _linked(request: Request) -> list[UUID] | None:
    """Return the IDs in the address of a request that only reads a conversation, collection or document; else None."""
    if request.method not in _SAFE_METHODS or not request.path_params.keys() <= _LINKED:
        return None
    return [found for value in request.path_params.values() if (found := parse_id(value)) is not None]


async def _show_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RxChatError)  # noqa: S101 - registered for this class alone
    route = getattr(request.scope.get("route"), "path", request.url.path)
    current_user: CurrentUser | None = getattr(request.state, "current_user", None)
    if not isinstance(error, NotSignedIn):
        # Services record failed sign-ins themselves, and a request without credentials is not worth a record.
        await container.get_services().access.denials.record(
            current_user, client_info_of(request), f"{request.method} {route}", error, _linked(request)
        )
    return error_response(request.url.path, error)


def invalid(errors: Any, *, path: str) -> InvalidInput:
    """Return pydantic's errors as one that names the fields, without the values, which may be secrets."""
    if any(item.get("type") == "json_invalid" for item in errors) and path.startswith((V1, OPENAI, OLLAMA)):
        return InvalidJson()
    fields = [encodable(str(item["loc"][-1]))[:_FIELD_CHARACTERS] for item in errors if item.get("loc")]
    if not fields:
        return InvalidInput("The request is invalid.")
    return InvalidInput(f"The request is invalid. Check: {', '.join(fields[:10])}.", field=fields[0])


async def _show_invalid(request: Request, error: Exception) -> JSONResponse:
    return error_response(request.url.path, invalid(getattr(error, "errors", list)(), path=request.url.path))


async def _show_refusal(request: Request, error: Exception) -> JSONResponse:
    """Return the errors of Starlette and FastAPI (unknown paths, methods, broken bodies) in the API's form."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone
    code, sentence = _REFUSALS.get(error.status_code, (InvalidInput.code, "The request is invalid."))
    return _response(request.url.path, error.status_code, code, sentence, dict(error.headers or {}))


async def _show_nothing(_request: Request, _error: Exception) -> Response:
    """Return nothing, which no client reads, with nginx's status for it."""
    return Response(status_code=_LEFT)


async def _show_failure(request: Request, _error: Exception) -> JSONResponse:
    """Return an unexpected error in the API's form; the server logs the details."""
    return _response(request.url.path, 500, "error", "An internal error occurred and was logged. Try again.")
