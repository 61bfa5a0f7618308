"""The outermost ASGI app: checks clients and origins, routes requests to Reflex or FastAPI, adds headers.

Reflex serves the pages and the websocket, FastAPI everything else. Pages of the chat are only sent to signed-in users;
other clients are redirected to the sign-in page before they load any of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rxchat import observability
from rxchat.api.headers import API_PATHS, CHAT_PATH, EVENTS_PATH, AnswerHeaders, is_file, without_conditions
from rxchat.api.requests import COOKIE, cookie_name, set_cookie
from rxchat.api.trusted_proxies import TrustedProxies
from rxchat.api.websockets import SocketLimits, serve_checked
from rxchat.domain.errors import DatabaseUnavailable, NotSignedIn, SecondFactorNeeded, TooManyAttempts
from rxchat.services.app import container
from rxchat.settings import Settings

log = structlog.get_logger(__name__)

_POLICY_VIOLATED = 1008
_PAGE_METHODS = {"GET", "HEAD", "OPTIONS"}
_REFLEX_PATHS = ("/_upload", "/_all_routes", "/_health", "/ping", "/auth-codespace")
_ACCOUNT, _ADMIN = "/account", "/admin"
_FOR_USERS = (_ACCOUNT, _ADMIN, "/archive", "/assistants", "/documents", "/history", "/prompts", "/temporary")
_ENROL_AT = "/account/security"


class Gateway:
    """Routes each request to the pages or the API."""

    def __init__(
        self,
        pages: ASGIApp,
        api: ASGIApp,
        settings: Settings,
        *,
        own_origins: Sequence[str] = (),
        script_hashes: Sequence[str] = (),
    ) -> None:
        self._pages = pages
        self._api = api
        self._settings = settings
        self._own_origins = frozenset(own_origins)
        self._proxies = TrustedProxies(settings)
        self._headers = AnswerHeaders(settings, script_hashes)
        self._sockets = SocketLimits()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] not in {"http", "websocket"}:
            await self._pages(scope, receive, send)
            return
        send = self._headers.added_to(send, scope)
        resolved = self._proxies.resolve(scope)
        if resolved is None:
            log.warning("refused a client that is no trusted proxy", peer=(scope.get("client") or ("unknown",))[0])
            await _refuse("Only the proxies in RXCHAT_TRUSTED_PROXIES may connect.", scope, receive, send)
        elif scope["type"] == "websocket":
            await self._serve_socket(resolved, receive, send)
        else:
            await self._serve(resolved, receive, send)

    async def _serve_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check the origin of a websocket: browsers let pages of every site open one, with cookies."""
        origin = Headers(scope=scope).get("origin")
        if not scope["path"].startswith(EVENTS_PATH):
            observability.SOCKETS_REFUSED.labels("path").inc()
            await _refuse("This address is not a websocket.", scope, receive, send)
        elif origin is not None and origin not in self._own_origins:
            log.warning("refused a websocket of another site", origin=origin[:200])
            observability.SOCKETS_REFUSED.labels("origin").inc()
            await _refuse("This page belongs to another site.", scope, receive, send)
        else:
            sealed = self._sealed(scope)
            holder = await container.get_services().accounts.sessions.signed_in_holder_of(sealed) if sealed else None
            try:
                with self._sockets.place(holder, (scope.get("client") or ("",))[0]):
                    self._sockets.limit_messages(scope, holder)
                    await serve_checked(self._pages, scope, receive, send)
            except TooManyAttempts as error:
                await _refuse(error.message, scope, receive, send, status=error.status)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if path.startswith(API_PATHS):
            await self._api(scope, receive, send)
        elif scope["method"] not in _PAGE_METHODS or path.startswith((EVENTS_PATH, *_REFLEX_PATHS)):
            # Reflex has other routes (polling, uploads, health), which RxChat does not use and which have no limits.
            await PlainTextResponse("This address does not exist.", status_code=404)(scope, receive, send)
        elif scope["method"] in {"GET", "HEAD"} and _is_chat_page(path) and (elsewhere := await self._elsewhere(scope)):
            await RedirectResponse(elsewhere, status_code=303)(scope, receive, send)
        elif scope["method"] == "GET" and _is_chat_page(path):
            await self._pages(without_conditions(scope), receive, await self._with_fresh_session(scope, send))
        else:
            await self._pages(scope if is_file(path) else without_conditions(scope), receive, send)

    async def _with_fresh_session(self, scope: Scope, send: Send) -> Send:
        """Return a `send` that adds a new session cookie to a page when rotation is due."""
        try:
            current_user = await container.get_services().accounts.sessions.current_user(
                self._sealed(scope), enrolling=True
            )
            fresh = await container.get_services().accounts.sessions.rotate_if_due(current_user)
        except (DatabaseUnavailable, NotSignedIn):
            return send
        if fresh is None:
            return send
        cookie = Response()
        set_cookie(cookie, self._settings, COOKIE, *fresh)

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("set-cookie", cookie.headers["set-cookie"])
            await send(message)

        return send_with_cookie

    def _sealed(self, scope: Scope) -> str:
        return HTTPConnection(scope).cookies.get(cookie_name(self._settings), "")

    async def _elsewhere(self, scope: Scope) -> str:
        """Return the page to redirect a client to, or "" if it may load this page."""
        path: str = scope["path"]
        try:
            await container.get_services().accounts.sessions.current_user(
                self._sealed(scope), enrolling=_is_below(path, _ACCOUNT)
            )
        except NotSignedIn:
            query = scope["query_string"].decode("latin-1")
            here = quote(path + (f"?{query}" if query else ""), safe="/")
            return "/sign-in" if here == "/" else f"/sign-in?next={here}"
        except SecondFactorNeeded:
            return _ENROL_AT
        except DatabaseUnavailable:
            # The page contains no data; it says that the database does not respond, and recovers by itself.
            return ""
        return f"{_ADMIN}/users" if path.rstrip("/") == _ADMIN else ""


def _is_chat_page(path: str) -> bool:
    return path == "/" or path.startswith(CHAT_PATH) or any(_is_below(path, page) for page in _FOR_USERS)


def _is_below(path: str, page: str) -> bool:
    return path == page or path.startswith(f"{page}/")


async def _refuse(sentence: str, scope: Scope, receive: Receive, send: Send, *, status: int = 403) -> None:
    """Send an error; closes the websocket if the server cannot answer its handshake with a response."""
    if scope["type"] == "http" or "websocket.http.response" in scope.get("extensions", {}):
        await PlainTextResponse(sentence, status_code=status)(scope, receive, send)
    else:
        await send({"type": "websocket.close", "code": _POLICY_VIOLATED, "reason": sentence})
