"""What the routes need to know of a request: who sent it, from where, and whether another site made it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request, Response

from rxchat.domain.accounts import Viewer
from rxchat.domain.errors import NotSignedIn
from rxchat.services import graph
from rxchat.services.accounts import Caller
from rxchat.services.graph import Services
from rxchat.settings import Settings

COOKIE = "rxchat_session"
_SECURE_COOKIE = "__Host-rxchat_session"


def settings_of(request: Request) -> Settings:
    """Return this process's settings."""
    return request.app.state.settings


def services() -> Services:
    """Return this process's services."""
    return graph.current()


def caller_of(request: Request) -> Caller:
    """Return the browser behind a request, for the record."""
    return Caller(request.client.host if request.client else "", request.headers.get("user-agent", ""))


def cookie_name(settings: Settings) -> str:
    """Return the session cookie's name: `__Host-` binds it to https and this host, which plain http cannot have."""
    return _SECURE_COOKIE if is_https(settings) else COOKIE


def is_https(settings: Settings) -> bool:
    """Whether people reach RxChat over https."""
    return settings.base_url.startswith("https://")


def set_session_cookie(response: Response, settings: Settings, sealed: str, seconds: int) -> None:
    """Hand a browser its session: not readable by scripts, not sent by other sites' forms."""
    response.set_cookie(
        cookie_name(settings),
        sealed,
        max_age=seconds,
        path="/",
        httponly=True,
        samesite="lax",
        secure=is_https(settings),
    )


def clear_session_cookie(response: Response, settings: Settings) -> None:
    """Take the session back from a browser."""
    response.delete_cookie(cookie_name(settings), path="/", httponly=True, samesite="lax", secure=is_https(settings))


async def viewer_of(request: Request, services: Annotated[Services, Depends(services)]) -> Viewer:
    """Return who is signed in.

    Raises:
        NotSignedIn: when nobody is.
    """
    sealed = request.cookies.get(cookie_name(settings_of(request)))
    if not sealed:
        raise NotSignedIn
    return await services.accounts.viewer(sealed)


def is_cross_site(request: Request, own_origins: frozenset[str]) -> bool:
    """Whether a page of another site made this request; programs send no Origin and hold no cookie."""
    origin = request.headers.get("origin")
    if origin is None:
        return request.headers.get("sec-fetch-site", "none") not in {"none", "same-origin", "same-site"}
    return origin.rstrip("/") not in own_origins
