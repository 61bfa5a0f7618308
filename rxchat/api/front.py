"""The front of the house: which door a request goes to, and what every answer says to browsers.

Reflex serves the pages and the websocket, FastAPI everything else. A page of the chat is only handed to somebody who
is signed in; others are sent to the sign-in page before any of it is loaded.
"""

from __future__ import annotations

from urllib.parse import quote

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rxchat.api.requests import cookie_name
from rxchat.domain.errors import DatabaseAway, NotSignedIn
from rxchat.services import graph
from rxchat.settings import Settings

log = structlog.get_logger(__name__)

_API_PATHS = ("/api/", "/healthz", "/readyz", "/metrics")
_HASHED = "/assets/"
_SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}


class Front:
    """Sends each request to its door."""

    def __init__(self, pages: ASGIApp, api: ASGIApp, settings: Settings) -> None:
        """Know the doors."""
        self._pages = pages
        self._api = api
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._pages(scope, receive, send)
            return
        path: str = scope["path"]
        send = _with_headers(send, path)
        if path.startswith(_API_PATHS):
            await self._api(scope, receive, send)
        elif scope["method"] in {"GET", "HEAD"} and _is_chat_page(path) and not await self._may_enter(scope):
            query = scope["query_string"].decode("latin-1")
            here = quote(path + (f"?{query}" if query else ""), safe="/")
            target = "/sign-in" if here == "/" else f"/sign-in?next={here}"
            await RedirectResponse(target, status_code=303)(scope, receive, send)
        else:
            await self._pages(scope, receive, send)

    async def _may_enter(self, scope: Scope) -> bool:
        sealed = HTTPConnection(scope).cookies.get(cookie_name(self._settings), "")
        try:
            await graph.current().accounts.viewer(sealed)
        except NotSignedIn:
            return False
        except DatabaseAway:
            # The page itself holds nothing; it says that the database is away and recovers by itself.
            return True
        return True


def _is_chat_page(path: str) -> bool:
    return path == "/" or path.startswith("/c/")


def _with_headers(send: Send, path: str) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _SECURITY_HEADERS.items():
                headers.setdefault(name, value)
            if path.startswith(_HASHED) and message["status"] == 200:
                # Their names change with their contents.
                headers["Cache-Control"] = "public, max-age=31536000, immutable"
            elif "text/html" in headers.get("content-type", ""):
                headers["Cache-Control"] = "no-store"
        await send(message)

    return send_with_headers
