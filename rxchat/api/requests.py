"""Dependencies of routes: the user of a request, its client, its cookies, and whether another site sent it."""

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
    """Return the client of a request, for the audit log and rate limits."""
    return ClientInfo(
        request.client.host if request.client else "",
        request.headers.get("user-agent", ""),
        container.get_services().accounts.sign_in.device_of(
            request.cookies.get(named(DEVICE, settings_of(request)), "")
        ),
    )


def origin_of(request: Request) -> str:
    """Return the origin of this instance under which the browser sent the request."""
    settings = settings_of(request)
    host = request.headers.get("host", "").lower()
    return next((own for own in settings.own_origins if urlsplit(own).netloc == host), settings.base_url)


def named(cookie: str, settings: Settings) -> str:
    """Return a cookie's name; over https it has the prefix `__Host-`, which binds it to this host."""
    return f"__Host-{cookie}" if is_https(settings) else cookie


def cookie_name(settings: Settings) -> str:
    """Return the session cookie's name."""
    return named(COOKIE, settings)


def is_https(settings: Settings) -> bool:
    """Whether users reach RxChat over https."""
    return settings.base_url.startswith("https://")


def set_cookie(response: Response, settings: Settings, cookie: str, value: str, seconds: int) -> None:
    """Set a cookie that scripts cannot read and that browsers do not send with other sites' forms."""
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
    """Delete a cookie."""
    response.delete_cookie(named(cookie, settings), path="/", httponly=True, samesite="lax", secure=is_https(settings))


def cookie_in(request: Request, cookie: str) -> str:
    """Return the value of a cookie, or ""."""
    return request.cookies.get(named(cookie, settings_of(request)), "")


def start_session(response: Response, request: Request, services: Services, admission: SignInResult) -> bool:
    """Set the session cookie, or the one of a completed first step; False if a second factor is required."""
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
    """Return the user of a request, by its bearer token or API key if it has one, otherwise by its cookie.

    With `enrolling`, also a user who must set up a second factor first. This is no dependency: FastAPI would turn the
    keyword into a query parameter, which every client could set.

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
    # For the audit log, if a route refuses the request.
    request.state.current_user = current_user
    return current_user


async def _bearer(request: Request, services: Services, credential: str) -> CurrentUser:
    try:
        return await services.accounts.sessions.authenticate_bearer(credential)
    except NotSignedIn as error:
        # An expired access token is no guess, so it is neither counted nor recorded.
        if not credential.startswith("v4.local."):
            await services.accounts.rate_limits.attempt("bearer", client_info_of(request))
            await services.access.denials.record(None, client_info_of(request), "API key", error)
        raise


def _credential(request: Request) -> str | None:
    """Return the bearer token or API key of a request, or None if it has none."""
    header = request.headers.get("authorization", "")
    kind, _, value = header.partition(" ")
    if header:
        return value.strip() if kind.lower() == "bearer" else ""
    return request.headers.get("x-api-key")


async def current_user_of(request: Request, services: Annotated[Services, Depends(services)]) -> CurrentUser:
    """Return the user who is signed in, by a browser or an API client.

    Raises:
        NotSignedIn: when the request carries no valid credential.
        SecondFactorNeeded: when the user has to set up a second factor first.
        TooManyAttempts: when keys are being guessed from this address.
    """
    return await authenticate(request, services)


async def browser_user(request: Request, services: Annotated[Services, Depends(services)]) -> CurrentUser:
    """Return the user who is signed in with a browser: for actions that API clients may not do.

    Raises:
        NotSignedIn: if no user is signed in.
        SecondFactorNeeded: if the user has to set up a second factor first.
        NotAllowed: if the request has an API key or token.
    """
    return _no_program(await authenticate(request, services))


async def enrolling_user_of(request: Request, services: Annotated[Services, Depends(services)]) -> CurrentUser:
    """Return the user of a browser, even if they must set up a second factor first, for the routes that do that."""
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
    """Use one of the user's download slots until the response has been sent.

    Browsers send cookies with requests of other sites' pages, too, and a download costs resources even if they cannot
    read it. So only RxChat's pages, API clients, and addresses that a user typed or opened outside a page start one.

    Raises:
        NotAllowed: if a page of another site started it.
        TooManyAttempts: if no slot is free.
    """
    if _credential(request) is None and is_cross_site(request, request.app.state.own_origins):
        raise NotAllowed("A page of another site started this download. Start it in RxChat.")
    with services.documents.files.downloads.place(current_user.user_id):
        yield


DOWNLOAD = Depends(download_place)


def is_cross_site(request: Request, own_origins: frozenset[str]) -> bool:
    """Whether a page of another origin sent this request, sibling hosts included; API clients send no Origin."""
    origin = request.headers.get("origin")
    if origin is None:
        return request.headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}
    return origin.rstrip("/") not in own_origins
