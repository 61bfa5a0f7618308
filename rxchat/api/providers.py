"""Signing in with an account elsewhere: out to the provider, and back."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from rxchat.api.requests import (
    COOKIE,
    DEPARTURE,
    INVITATION,
    Here,
    caller_of,
    cookie_in,
    let_in,
    origin_of,
    set_cookie,
    settings_of,
    take_cookie_back,
)
from rxchat.domain.accounts import Viewer
from rxchat.domain.errors import NotAllowed, NotSignedIn, RxChatError
from rxchat.domain.text import same_site_path
from rxchat.services.graph import Services

router = APIRouter(prefix="/api/auth/providers", tags=["auth"])

_AWAY_SECONDS = 600
_FIELDS = ("state", "code", "user", "error", "error_description", "iss")
_LONGEST = 2_000


@router.get("/{key}")
async def depart(
    key: str,
    request: Request,
    services: Here,
    next: str = "/",  # noqa: A002 - as in the addresses of pages
    link: bool = False,
    invitation: bool = False,
) -> Response:
    """Send the browser to a provider, to sign in or (`link`) to tie the account there to one's own."""
    try:
        _require_navigation(request)
        # Another site's link must not begin to tie anything.
        is_ours = request.headers.get("sec-fetch-site", "none") in {"none", "same-origin"}
        viewer = await _whoever(request, services) if link and is_ours else None
        if link and viewer is None:
            return RedirectResponse("/sign-in", status_code=303)
        url, sealed = await services.federation.depart(
            key,
            origin=origin_of(request),
            next_path=same_site_path(next),
            viewer=viewer,
            # Nor must it use an invitation, which may be one that it has planted.
            invitation=cookie_in(request, INVITATION) if invitation and is_ours else "",
        )
    except RxChatError as error:
        await services.denials.note(None, caller_of(request), f"to {key}", error)
        return _sorry(error, "/account" if link else "/sign-in")
    response = RedirectResponse(url, status_code=303)
    set_cookie(response, settings_of(request), DEPARTURE, sealed, _AWAY_SECONDS)
    return response


@router.get("/{key}/callback")
async def come_back(key: str, request: Request, services: Here) -> Response:
    """Take somebody back who was away at a provider."""
    return await _arrive(key, request, services, dict(request.query_params))


@router.post("/{key}/callback")
async def come_back_with_form(key: str, request: Request) -> Response:
    """Turn the form that Apple's page posts across sites into an address of ours, which our cookies come along with.

    So none of them has to be one that other sites' forms carry.
    """
    form = await request.form()
    answer = {name: value for name in _FIELDS if isinstance(value := form.get(name), str) and len(value) <= _LONGEST}
    return RedirectResponse(f"/api/auth/providers/{quote(key)}/callback?{urlencode(answer)}", status_code=303)


async def _arrive(key: str, request: Request, services: Services, answer: Mapping[str, str]) -> Response:
    settings = settings_of(request)
    viewer = await _whoever(request, services)
    try:
        _require_navigation(request)
    except NotAllowed as error:
        # The cookie stays: the person may be on their way back in another tab.
        return _sorry(error, "/sign-in")
    try:
        arrival = await services.federation.arrive(
            key, cookie_in(request, DEPARTURE), answer, viewer, caller_of(request)
        )
    except RxChatError as error:
        await services.denials.note(viewer, caller_of(request), f"from {key}", error)
        response = _sorry(error, "/account" if viewer else "/sign-in")
        take_cookie_back(response, settings, DEPARTURE)
        return response
    here = same_site_path(arrival.next_path)
    response = RedirectResponse(here, status_code=303)
    if arrival.admission is not None and not let_in(response, request, services, arrival.admission):
        response.headers["location"] = f"/sign-in?step=second-factor&next={quote(here, safe='/')}"
    take_cookie_back(response, settings, DEPARTURE)
    take_cookie_back(response, settings, INVITATION)
    return response


def _require_navigation(request: Request) -> None:
    """Let a person go to a provider and come back, and no picture, frame or script of another page do it for them.

    Raises:
        NotAllowed: when the browser says that it is not opening a page.
    """
    kind = (request.headers.get("sec-fetch-mode", "navigate"), request.headers.get("sec-fetch-dest", "document"))
    if kind != ("navigate", "document"):
        raise NotAllowed("This address is for opening in a tab.")


async def _whoever(request: Request, services: Services) -> Viewer | None:
    """Return the person whose browser it is: a program's token or key counts for nothing here."""
    try:
        return await services.sessions.viewer(cookie_in(request, COOKIE), enrolling=True)
    except NotSignedIn:
        return None


def _sorry(error: RxChatError, page: str) -> Response:
    """Lead back to where one can try again; the page knows by the code what to say, an address never says it."""
    return RedirectResponse(f"{page}?problem={quote(error.code)}", status_code=303)
