"""Signing in and out, making accounts, forgotten passwords: what users do who are not signed in yet."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from rxchat.api.requests import (
    CHALLENGE,
    COOKIE,
    INVITATION,
    PENDING,
    ServicesDep,
    authenticate,
    clear_cookie,
    client_info_of,
    cookie_in,
    origin_of,
    set_cookie,
    settings_of,
    start_session,
)
from rxchat.domain.errors import NotSignedIn
from rxchat.services.accounts.passkeys import as_json

router = APIRouter(prefix="/api/auth", tags=["auth"])

_CHALLENGE_SECONDS = 300
_INVITATION_SECONDS = 1_800


class SignIn(BaseModel):
    """What someone types to sign in."""

    email: str = Field(max_length=320)
    password: str = Field(max_length=10_000)


class Code(BaseModel):
    """A code of an authenticator app, or a recovery code."""

    code: str = Field(max_length=100)


class NewAccount(BaseModel):
    """What someone types to make an account."""

    name: str = Field(max_length=1_000)
    email: str = Field(max_length=320)
    password: str = Field(max_length=10_000)


class Setup(NewAccount):
    """What the first administrator types, and the link they came by."""

    token: str = Field(max_length=2_000)


class Link(BaseModel):
    """The token of a link."""

    token: str = Field(max_length=2_000)


class LinkOfKind(Link):
    """The token of a link, and what it is for."""

    kind: Literal["setup", "reset", "confirmation"]


class Join(Link):
    """What somebody types who was invited."""

    name: str = Field(max_length=1_000)
    password: str = Field(max_length=10_000)


class Forgot(BaseModel):
    """Whose password is forgotten."""

    email: str = Field(max_length=320)


class Reset(Link):
    """The new password."""

    password: str = Field(max_length=10_000)


class PasskeyAnswer(BaseModel):
    """What a browser's authenticator says."""

    credential: dict[str, Any]


class Offer(BaseModel):
    """What somebody who is not signed in can do here."""

    registration: str
    has_mail: bool
    providers: list[dict[str, str]]
    is_signed_in: bool
    """Whether this browser need not sign in: a tab whose socket is older than its cookie may have come here."""
    step: str
    """Where signing in stands: "password", or "second-factor" when the first step was taken a moment ago."""
    ended: str
    """Why the sign-in that this browser had does not count any more; "" when it had none, or nothing is known."""


class Step(BaseModel):
    """How it goes on: signed in, or with a second factor."""

    next: str


_IN = Step(next="in")
_SECOND = Step(next="second-factor")


@router.get("/offer")
async def offer(request: Request, services: ServicesDep) -> Offer:
    """Say what the sign-in page can offer."""
    found = await services.accounts.registration.offer()
    try:
        await authenticate(request, services, enrolling=True)
        is_signed_in = True
    except NotSignedIn:
        is_signed_in = False
    ended = "" if is_signed_in else await services.accounts.sessions.why_ended(cookie_in(request, COOKIE))
    providers = [{"key": item.key, "label": item.label} for item in services.accounts.external_login.providers]
    return Offer(
        registration=found.registration,
        has_mail=found.has_mail,
        providers=providers,
        is_signed_in=is_signed_in,
        step="second-factor" if services.accounts.sign_in.is_pending(cookie_in(request, PENDING)) else "password",
        ended=ended,
    )


@router.post("/sign-in")
async def sign_in(body: SignIn, request: Request, response: Response, services: ServicesDep) -> Step:
    """Check e-mail and password; set the session cookie, or ask for the second factor."""
    admission = await services.accounts.sign_in.sign_in(body.email, body.password, client_info_of(request))
    return _IN if start_session(response, request, services, admission) else _SECOND


@router.post("/second-factor")
async def second_factor(body: Code, request: Request, response: Response, services: ServicesDep) -> Step:
    """Check a code after the first step, and set the session cookie."""
    admission = await services.accounts.sign_in.verify_second_factor(
        cookie_in(request, PENDING), body.code, client_info_of(request)
    )
    start_session(response, request, services, admission)
    return _IN


@router.post("/passkey/begin")
async def begin_passkey(request: Request, response: Response, services: ServicesDep) -> dict[str, Any]:
    """Return what the browser needs to use a passkey, by itself or after the first step."""
    options, sealed = await services.accounts.passkeys.authentication_options(
        origin_of(request), cookie_in(request, PENDING)
    )
    set_cookie(response, settings_of(request), CHALLENGE, sealed, _CHALLENGE_SECONDS)
    return as_json(options)


@router.post("/passkey")
async def passkey(body: PasskeyAnswer, request: Request, response: Response, services: ServicesDep) -> Step:
    """Check a passkey, and set the session cookie."""
    admission = await services.accounts.passkeys.sign_in(
        cookie_in(request, CHALLENGE),
        body.credential,
        origin_of(request),
        client_info_of(request),
        cookie_in(request, PENDING),
    )
    clear_cookie(response, settings_of(request), CHALLENGE)
    return _IN if start_session(response, request, services, admission) else _SECOND


@router.post("/start-over", status_code=204)
async def start_over(request: Request, response: Response) -> None:
    """Forget the first step, to sign in as somebody else."""
    clear_cookie(response, settings_of(request), PENDING)


@router.post("/setup")
async def set_up(body: Setup, request: Request, response: Response, services: ServicesDep) -> Step:
    """Create the first administrator with the link that RxChat printed, and sign them in."""
    admission = await services.accounts.registration.create_first_administrator(
        body.token, name=body.name, email=body.email, password=body.password, client_info=client_info_of(request)
    )
    return _IN if start_session(response, request, services, admission) else _SECOND


@router.post("/register", status_code=202)
async def register(body: NewAccount, request: Request, response: Response, services: ServicesDep) -> Step:
    """Make an account, where that is open: signed in then, or, with mail, at "check your mail" in any case."""
    admission = await services.accounts.registration.register(
        name=body.name, email=body.email, password=body.password, client_info=client_info_of(request)
    )
    if admission is None:
        return Step(next="mail")
    return _IN if start_session(response, request, services, admission) else _SECOND


@router.post("/link", status_code=204)
async def check_link(body: LinkOfKind, request: Request, services: ServicesDep) -> None:
    """Say whether a link works, before its form is filled in."""
    await services.accounts.registration.check_link(body.kind, body.token, client_info_of(request))


@router.post("/invitation")
async def invitation(body: Link, request: Request, response: Response, services: ServicesDep) -> dict[str, str]:
    """Say whom an invitation is for, and keep it for a while, so that no address has to carry it to a provider."""
    email = await services.accounts.registration.get_invitation(body.token, client_info_of(request))
    set_cookie(response, settings_of(request), INVITATION, body.token, _INVITATION_SECONDS)
    return {"email": email}


@router.post("/join")
async def join(body: Join, request: Request, response: Response, services: ServicesDep) -> Step:
    """Accept an invitation, and sign the new account in."""
    admission = await services.accounts.registration.accept_invitation(
        body.token, name=body.name, password=body.password, client_info=client_info_of(request)
    )
    clear_cookie(response, settings_of(request), INVITATION)
    return _IN if start_session(response, request, services, admission) else _SECOND


@router.post("/confirm", status_code=204)
async def confirm(body: Link, request: Request, services: ServicesDep) -> None:
    """Take the proof that an address is its account's."""
    await services.accounts.registration.confirm(body.token, client_info_of(request))


@router.post("/forgot", status_code=202)
async def forgot(body: Forgot, request: Request, services: ServicesDep) -> Step:
    """Send a link for a new password, if there is such an account; the answer is always the same."""
    await services.accounts.password_reset.request_reset(body.email, client_info_of(request))
    return Step(next="mail" if services.platform.mail_sender.is_configured else "administrator")


@router.post("/reset", status_code=204)
async def reset(body: Reset, request: Request, response: Response, services: ServicesDep) -> None:
    """Choose a new password with a link; the user signs in with it afterwards, second factor included."""
    await services.accounts.password_reset.reset(body.token, body.password, client_info_of(request))
    clear_cookie(response, settings_of(request), COOKIE)


@router.post("/sign-out", status_code=204)
async def sign_out(request: Request, response: Response, services: ServicesDep) -> None:
    """End this browser's session on the server, and take its cookie back; without one there is nothing to do."""
    clear_cookie(response, settings_of(request), COOKIE)
    clear_cookie(response, settings_of(request), PENDING)
    clear_cookie(response, settings_of(request), INVITATION)
    try:
        current_user = await authenticate(request, services, enrolling=True)
    except NotSignedIn:
        return
    await services.accounts.sessions.sign_out(current_user, client_info_of(request))
