"""Sign-in with external accounts: the redirect to the provider, and the callback."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, Field

from rxchat.api.requests import (
    COOKIE,
    DEPARTURE,
    INVITATION,
    ServicesDep,
    clear_cookie,
    client_info_of,
    cookie_in,
    origin_of,
    set_cookie,
    settings_of,
    start_session,
)
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.errors import NotAllowed, NotSignedIn, RxChatError
from rxchat.domain.text import same_site_path
from rxchat.services.app.container import Services

router = APIRouter(prefix="/api/auth/providers", tags=["auth"])

_AWAY_SECONDS = 600
_FIELDS = ("state", "code", "user", "error", "error_description", "iss")
_LONGEST = 2_000


class Wanted(BaseModel):
    """What a user wants from a provider other than to sign in."""

    next: str = Field("/", max_length=_LONGEST)
    link: bool = False
    """Link the external account to the signed-in user."""
    invitation: bool = False
    """Accept the invitation whose link was opened in this browser."""


class Address(BaseModel):
    """The URL that the browser opens next."""

    url: str


@router.get("/{key}")
async def start_external_login(
    key: str,
    request: Request,
    services: ServicesDep,
    next: str = "/",  # noqa: A002 - as in the addresses of pages
) -> Response:
    """Redirect the browser to a provider for sign-in only: pages of other sites can link here."""
    try:
        _require_navigation(request)
        url, sealed = await services.accounts.external_login.start(
            key, origin=origin_of(request), next_path=same_site_path(next), current_user=None, invitation=""
        )
    except RxChatError as error:
        await services.access.denials.record(None, client_info_of(request), f"to {key}", error)
        return _sorry(error, "/sign-in")
    response = RedirectResponse(url, status_code=303)
    set_cookie(response, settings_of(request), DEPARTURE, sealed, _AWAY_SECONDS)
    return response


@router.post("/{key}")
async def start_external_login_by_post(
    key: str, wanted: Wanted, request: Request, response: Response, services: ServicesDep
) -> Address:
    """Return the URL at which a provider links an external account, or with which an invitation is accepted.

    Only a button on RxChat's pages requests it. It is no GET, so that links on other sites cannot start it, directly or
    through a redirect, and POST requests of other sites are refused.
    """
    current_user = await _whoever(request, services) if wanted.link else None
    if wanted.link and current_user is None:
        raise NotSignedIn
    url, sealed = await services.accounts.external_login.start(
        key,
        origin=origin_of(request),
        next_path=same_site_path(wanted.next),
        current_user=current_user,
        invitation=cookie_in(request, INVITATION) if wanted.invitation else "",
    )
    set_cookie(response, settings_of(request), DEPARTURE, sealed, _AWAY_SECONDS)
    return Address(url=url)


@router.get("/{key}/callback")
async def complete_external_login(key: str, request: Request, services: ServicesDep) -> Response:
    """Complete a sign-in or link after the provider redirected the browser back."""
    return await _arrive(key, request, services, dict(request.query_params))


@router.post("/{key}/callback")
async def complete_external_login_by_post(key: str, request: Request) -> Response:
    """Redirect the form that Apple's page posts across sites to a GET, with which browsers send RxChat's cookies.

    So no cookie needs SameSite=None.
    """
    form = await request.form()
    answer = {name: value for name in _FIELDS if isinstance(value := form.get(name), str) and len(value) <= _LONGEST}
    return RedirectResponse(f"/api/auth/providers/{quote(key)}/callback?{urlencode(answer)}", status_code=303)


async def _arrive(key: str, request: Request, services: Services, answer: Mapping[str, str]) -> Response:
    settings = settings_of(request)
    current_user = await _whoever(request, services)
    try:
        _require_navigation(request)
    except NotAllowed as error:
        # The cookie stays: the user may be on their way back in another tab.
        return _sorry(error, "/sign-in")
    try:
        arrival = await services.accounts.external_login.complete(
            key, cookie_in(request, DEPARTURE), answer, current_user, client_info_of(request)
        )
    except RxChatError as error:
        await services.access.denials.record(current_user, client_info_of(request), f"from {key}", error)
        response = _sorry(error, "/account" if current_user else "/sign-in")
        clear_cookie(response, settings, DEPARTURE)
        return response
    here = same_site_path(arrival.next_path)
    response = RedirectResponse(here, status_code=303)
    if arrival.admission is not None and not start_session(response, request, services, arrival.admission):
        response.headers["location"] = f"/sign-in?step=second-factor&next={quote(here, safe='/')}"
    clear_cookie(response, settings, DEPARTURE)
    clear_cookie(response, settings, INVITATION)
    return response


def _require_navigation(request: Request) -> None:
    """Refuse requests that are no navigation: images, frames and scripts of other pages must not sign users in.

    Raises:
        NotAllowed: if the browser says that it is not opening a page.
    """
    kind = (request.headers.get("sec-fetch-mode", "navigate"), request.headers.get("sec-fetch-dest", "document"))
    if kind != ("navigate", "document"):
        raise NotAllowed("Open this address in a browser tab.")


async def _whoever(request: Request, services: Services) -> CurrentUser | None:
    """Return the user of the browser's session, or None. API keys and tokens are ignored."""
    try:
        return await services.accounts.sessions.current_user(cookie_in(request, COOKIE), enrolling=True)
    except NotSignedIn:
        return None


def _sorry(error: RxChatError, page: str) -> Response:
    """Redirect to the page on which the user can try again.

    The URL contains an error code, not a text: other sites could link to any text.
    """
    return RedirectResponse(f"{page}?problem={quote(error.code)}", status_code=303)
