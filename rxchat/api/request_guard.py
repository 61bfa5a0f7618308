"""Middleware of every request to the API: refuses other sites' requests, adds headers, and measures.

It is plain ASGI, since Starlette's `BaseHTTPMiddleware` passes each part of a streamed response through two more tasks.
"""

from __future__ import annotations

import asyncio
import re
import time

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rxchat import observability
from rxchat.api.errors import error_response
from rxchat.api.requests import is_cross_site
from rxchat.domain.errors import NotAllowed

log = structlog.get_logger(__name__)

_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
_METHODS = _SAFE_METHODS | {"POST", "PUT", "PATCH", "DELETE"}
_PROVIDER_ANSWERS = re.compile(r"/api/auth/providers/[a-z]+/callback")


class RequestGuard:
    """Binds each request's ID to its logs, refuses requests of other sites, and forbids caching of private responses."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request, began = Request(scope), time.perf_counter()
        with observability.correlated() as correlation_id:

            async def send_with_headers(message: Message) -> None:
                if message["type"] == "http.response.start":
                    headers = MutableHeaders(scope=message)
                    headers["X-Correlation-Id"] = correlation_id
                    headers.setdefault("Cache-Control", "no-store")
                    headers.setdefault("X-Content-Type-Options", "nosniff")
                    for name, value in getattr(request.state, "rate_limit", {}).items():
                        headers[name] = value
                    _measure(request, message["status"], began)
                elif message.get("more_body"):
                    # uvicorn's `send` returns at once when the client is gone: a body that is made without waiting would never
                    # let the task run that learns of it.
                    await asyncio.sleep(0)
                await send(message)

            if _is_guarded(request) and is_cross_site(request, request.app.state.own_origins):
                log.warning("refused a request from another site", path=request.url.path)
                refusal = error_response(request.url.path, NotAllowed("This request came from another site."))
                await refusal(scope, receive, send_with_headers)
            else:
                await self._app(scope, receive, send_with_headers)


def _measure(request: Request, status: int, began: float) -> None:
    """Record the time until the response begins: streams last for minutes."""
    observability.REQUESTS.labels(
        request.method if request.method in _METHODS else "other",
        getattr(request.scope.get("route"), "path", "unknown"),
        status,
    ).observe(time.perf_counter() - began)


def _is_guarded(request: Request) -> bool:
    """Whether a request could change something on behalf of a user.

    A provider's page may post its answer: it counts only with the cookie of the browser that started the sign-in, which
    browsers do not send with another site's form.
    """
    return request.method not in _SAFE_METHODS and not _PROVIDER_ANSWERS.fullmatch(request.url.path)
