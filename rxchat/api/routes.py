"""The FastAPI app with every route, its middleware and its error responses."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from rxchat import __version__, observability
from rxchat.api import (
    admin,
    auth,
    collections,
    conversations,
    external_login,
    files,
    imports,
    me,
    monitoring,
    prompts,
    public_links,
    tokens,
)
from rxchat.api.bodies import BodyLimit
from rxchat.api.requests import client_info_of, is_cross_site
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.errors import DatabaseBusy, InvalidInput, NotAllowed, NotSignedIn, RxChatError, TooManyAttempts
from rxchat.domain.ids import parse_id
from rxchat.services.app import container
from rxchat.settings import Settings

log = structlog.get_logger(__name__)

_BUSY_SECONDS = 5
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
_METHODS = _SAFE_METHODS | {"POST", "PUT", "PATCH", "DELETE"}
_LINKED = {"conversation_id", "message_id", "collection_id", "document_id"}
_PROVIDER_ANSWERS = re.compile(r"/api/auth/providers/[a-z]+/callback")
_REFUSALS = {
    404: ("not_found", "This address does not exist."),
    405: ("method_not_allowed", "This address does not support this method."),
}
STREAMED = (f"{files.UPLOADS}/", files.FILES, imports.IMPORTS)


def build_api(settings: Settings, own_origins: Sequence[str]) -> FastAPI:
    """Return the HTTP API; its routes look up the services of their process when they are called."""
    api = FastAPI(
        title="RxChat",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        redirect_slashes=False,
        # Operations are named by their functions, as clients generated from the schema show them.
        generate_unique_id_function=lambda route: route.name,
    )
    api.state.settings = settings
    api.state.own_origins = frozenset(own_origins)
    chat = (conversations, imports, public_links, prompts)
    for part in (auth, external_login, tokens, me, *chat, files, collections, admin, monitoring):
        api.include_router(part.router)
    api.add_exception_handler(RxChatError, _show_error)
    api.add_exception_handler(RequestValidationError, _show_invalid)
    api.add_exception_handler(HTTPException, _show_refusal)
    api.add_exception_handler(Exception, _show_failure)
    api.middleware("http")(_guarded)
    # Outermost, so that large bodies are refused before any other middleware reads them.
    api.add_middleware(BodyLimit, streamed=STREAMED)
    return api


async def _guarded(request: Request, proceed: Callable[[Request], Awaitable[Response]]) -> Response:
    """Bind the request's ID to its logs, refuse requests of other sites, and forbid caching of private responses."""
    own_origins: frozenset[str] = request.app.state.own_origins
    began = time.perf_counter()
    with observability.correlated() as correlation_id:
        if _is_guarded(request) and is_cross_site(request, own_origins):
            log.warning("refused a request from another site", path=request.url.path)
            response: Response = _as_json(NotAllowed("This request came from another site."))
        else:
            response = await proceed(request)
        response.headers["X-Correlation-Id"] = correlation_id
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        route = request.scope.get("route")
        observability.REQUESTS.labels(
            request.method if request.method in _METHODS else "other",
            getattr(route, "path", "unknown"),
            response.status_code,
        ).observe(time.perf_counter() - began)
    return response


def _is_guarded(request: Request) -> bool:
    """Whether a request could change something on behalf of a user.

    A provider's page may post its answer: it counts only with the cookie of the browser that started the sign-in, which
    browsers do not send with another site's form.
    """
    return request.method not in _SAFE_METHODS and not _PROVIDER_ANSWERS.fullmatch(request.url.path)


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
    return _as_json(error)


async def _show_invalid(_request: Request, error: Exception) -> JSONResponse:
    fields = ", ".join(str(item["loc"][-1]) for item in getattr(error, "errors", list)())
    return _as_json(InvalidInput(f"The request is invalid. Check: {fields}." if fields else None))


async def _show_refusal(_request: Request, error: Exception) -> JSONResponse:
    """Return the errors of Starlette and FastAPI (unknown paths, methods, broken bodies) in the API's form."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone
    code, sentence = _REFUSALS.get(error.status_code, ("invalid_input", "The request is invalid."))
    answer = {"error": {"code": code, "message": sentence}}
    return JSONResponse(answer, status_code=error.status_code, headers=error.headers)


async def _show_failure(_request: Request, _error: Exception) -> JSONResponse:
    """Return an unexpected error in the API's form; the server logs the details."""
    answer = {"code": "error", "message": "An internal error occurred and was logged. Try again."}
    return JSONResponse({"error": answer}, status_code=500)


def _as_json(error: RxChatError) -> JSONResponse:
    headers = {}
    if isinstance(error, TooManyAttempts):
        headers["Retry-After"] = str(math.ceil(error.retry_after_seconds))
    elif isinstance(error, DatabaseBusy):
        headers["Retry-After"] = str(_BUSY_SECONDS)
    elif isinstance(error, NotSignedIn):
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(
        {"error": {"code": error.code, "message": error.message}}, status_code=error.status, headers=headers
    )
