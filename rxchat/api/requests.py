"""What the routes need to know of a request: who sent it, from where, and whether another site made it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response

from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.errors import NotAllowed, NotSignedIn
from rxchat.services.accounts.sign_in import SignInResult
from rxchat.services.app import container
from rxchat.services.app.container import Services
from rxchat.settings import Settings

COOKIE = "rxchat_session"
DEVICE = "rxchat_device"
PENDING = "rxchat_pending"
CHALLENGE = "rxchat_challenge"
DEPARTURE = "rxchat_departure"
INVITATION = "rxchat_invitation"
_PENDING_SECONDS = 600
_DEVICE_SECONDS = 400 * 86_400


def settings_of(request: Request) -> Settings:
    """Return this process's settings."""
    return request.app.state.settings


def services() -> Services:
    """Return this process's services."""
    return container.get_services()


def client_info_of(request: Request) -> ClientInfo:
    """Return where a request comes from, for the record and for limits."""
    return ClientInfo(
        request.client.host if request.client else "",
        request.headers.get("user-agent", ""),
        container.get_services().accounts.sign_in.device_of(
            request.cookies.get(named(DEVICE, settings_of(request)), "")
        ),
    )


def origin_of(request: Request) -> str:
    """Return under which of our own addresses the browser sees us."""
    settings = settings_of(request)
    host = request.headers.get("host", "").lower()
    return next((own for own in settings.own_origins if urlsplit(own).netloc == host), settings.base_url)


def named(cookie: str, settings: Settings) -> str:
    """Return a cookie's name: `__Host-` binds it to https and this host, which plain http cannot have."""
    return f"__Host-{cookie}" if is_https(settings) else cookie


def cookie_name(settings: Settings) -> str:
    """Return the session cookie's name."""
    return named(COOKIE, settings)


def is_https(settings: Settings) -> bool:
    """Whether users reach RxChat over https."""
    return settings.base_url.startswith("https://")


def set_cookie(response: Response, settings: Settings, cookie: str, value: str, seconds: int) -> None:
    """Hand a browser something to keep: not readable by scripts, not sent by other sites' forms."""
    response.set_cookie(
        named(cookie, settings),
        value,
        max_age=seconds,
        path="/",
        httponly=True,
        samesite="lax",
        secure=is_https(settings),
    )


def clear_cookie(response: Response, settings: Settings, cookie: str) -> None:
    """Take it back."""
    response.delete_cookie(named(cookie, settings), path="/", httponly=True, samesite="lax", secure=is_https(settings))


def cookie_in(request: Request, cookie: str) -> str:
    """Return what a browser kept for us, or ""."""
    return request.cookies.get(named(cookie, settings_of(request)), "")


def start_session(response: Response, request: Request, services: Services, admission: SignInResult) -> bool:
    """Hand a browser its session, or the proof that the first step is done; False when a second one is needed."""
    settings = settings_of(request)
    if admission.session is None:
        set_cookie(response, settings, PENDING, admission.pending, _PENDING_SECONDS)
        return False
    seconds = int(services.accounts.sessions.absolute.total_seconds())
    set_cookie(response, settings, COOKIE, services.accounts.sessions.cookie_of(admission.session), seconds)
    set_cookie(response, settings, DEVICE, admission.device, _DEVICE_SECONDS)
    clear_cookie(response, settings, PENDING)
    return True


async def authenticate(request: Request, services: Services, *, enrolling: bool = False) -> CurrentUser:
    """Return who is signed in: by the session cookie, or by a bearer token or API key, which then counts alone.

    With `enrolling`, also a user who must set up a second factor first. This is no dependency: FastAPI would make a
    query parameter of the keyword, for any client to set.

    Raises:
        NotSignedIn: when the request carries no valid credential.
        SecondFactorNeeded: when the user has to set up a second factor first.
        TooManyAttempts: when keys are being guessed from this address.
    """
    credential = _credential(request)
    if credential is not None:
        current_user = await _bearer(request, services, credential)
    elif sealed := request.cookies.get(cookie_name(settings_of(request))):
        current_user = await services.accounts.sessions.current_user(sealed, enrolling=enrolling)
    else:
        raise NotSignedIn
    # For the audit, when a route refuses them something.
    request.state.current_user = current_user
    return current_user


async def _bearer(request: Request, services: Services, credential: str) -> CurrentUser:
    try:
        return await services.accounts.sessions.authenticate_bearer(credential)
    except NotSignedIn as error:
        # An access token that has expired is no guess; only what fails otherwise is counted and written down.
        if not credential.startswith("v4.local."):
            await services.accounts.rate_limits.attempt("bearer", client_info_of(request))
            await services.access.denials.record(None, client_info_of(request), "API key", error)
        raise


def _credential(request: Request) -> str | None:
    """Return the token or key that a program sends, or None when it is a browser."""
    header = request.headers.get("authorization", "")
    kind, _, value = header.partition(" ")
    if header:
        return value.strip() if kind.lower() == "bearer" else ""
    return request.headers.get("x-api-key")


async def current_user_of(request: Request, services: Annotated[Services, Depends(services)]) -> CurrentUser:
    """Return who is signed in, with a browser or as a program.

    Raises:
        NotSignedIn: when the request carries no valid credential.
        SecondFactorNeeded: when the user has to set up a second factor first.
        TooManyAttempts: when keys are being guessed from this address.
    """
    return await authenticate(request, services)


async def browser_user(request: Request, services: Annotated[Services, Depends(services)]) -> CurrentUser:
    """Return the user who is signed in with a browser: for what no program may do in their name.

    Raises:
        NotSignedIn: when nobody is.
        SecondFactorNeeded: when they have to set up a second factor first.
        NotAllowed: when it is a program.
    """
    return _no_program(await authenticate(request, services))


async def enrolling_user_of(request: Request, services: Annotated[Services, Depends(services)]) -> CurrentUser:
    """The same, also for somebody who has to set up a second factor first: for the routes that do that."""
    return _no_program(await authenticate(request, services, enrolling=True))


def _no_program(current_user: CurrentUser) -> CurrentUser:
    if current_user.scopes is not None:
        raise NotAllowed("This requires a signed-in browser. API keys and tokens cannot do it.")
    return current_user


ServicesDep = Annotated[Services, Depends(services)]
SignedIn = Annotated[CurrentUser, Depends(current_user_of)]
BrowserUser = Annotated[CurrentUser, Depends(browser_user)]
EnrollingUser = Annotated[CurrentUser, Depends(enrolling_user_of)]


async def download_place(request: Request, current_user: SignedIn, services: ServicesDep) -> AsyncGenerator[None]:
    """Hold one of the user's places for downloads until the answer has been sent.

    A cookie comes along with links and scripts of other sites' pages, too, and a download costs whether they can read it
    or not. So those begin none: only our own pages, programs, and addresses that a user has typed or opened from elsewhere
    than a page.

    Raises:
        NotAllowed: when a page of another site has begun it.
        TooManyAttempts: when there is no place.
    """
    if _credential(request) is None and is_cross_site(request, request.app.state.own_origins):
        raise NotAllowed("A page of another site started this download. Start it in RxChat.")
    with services.documents.files.downloads.place(current_user.user_id):
        yield


DOWNLOAD = Depends(download_place)


def is_cross_site(request: Request, own_origins: frozenset[str]) -> bool:
    """Whether a page of another origin made this request, one of a neighboring host included; programs send no Origin."""
    origin = request.headers.get("origin")
    if origin is None:
        return request.headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}
    return origin.rstrip("/") not in own_origins
