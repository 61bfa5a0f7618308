"""Sign-in, sign-out, registration and password reset: routes for users who are not signed in yet."""

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
    """The credentials of a sign-in."""

    email: str = Field(max_length=320)
    password: str = Field(max_length=10_000)


class Code(BaseModel):
    """A code of an authenticator app, or a recovery code."""

    code: str = Field(max_length=100)


class NewAccount(BaseModel):
    """The fields of a registration."""

    name: str = Field(max_length=1_000)
    email: str = Field(max_length=320)
    password: str = Field(max_length=10_000)


class Setup(NewAccount):
    """The fields of the first administrator's registration, and the token of the setup link."""

    token: str = Field(max_length=2_000)


class Link(BaseModel):
    """The token of a link."""

    token: str = Field(max_length=2_000)


class LinkOfKind(Link):
    """The token of a link, and the purpose of the link."""

    kind: Literal["setup", "reset", "confirmation"]


class Join(Link):
    """The fields with which a user accepts an invitation."""

    name: str = Field(max_length=1_000)
    password: str = Field(max_length=10_000)


class Forgot(BaseModel):
    """The e-mail address of the account whose password is to be reset."""

    email: str = Field(max_length=320)


class Reset(Link):
    """The token of a reset link, and the new password."""

    password: str = Field(max_length=10_000)


class PasskeyAnswer(BaseModel):
    """The credential that a browser's authenticator returned."""

    credential: dict[str, Any]


class Offer(BaseModel):
    """The ways to sign in and register that this instance offers."""

    registration: str
    has_mail: bool
    is_set_up: bool
    """Whether there is an account; the first one is created with the link that RxChat printed."""
    providers: list[dict[str, str]]
    is_signed_in: bool
    """Whether this browser is signed in already: a tab whose socket is older than its cookie may open this page."""
    step: str
    """The next step of the sign-in: "password", or "second-factor" when the first step is complete."""
    ended: str
    """Why this browser's last session ended; "" if it had none, or if the reason is not known."""


class Step(BaseModel):
    """The result of a step: signed in, or the second factor that is required."""

    next: str


_IN = Step(next="in")
_SECOND = Step(next="second-factor")


@router.get("/offer")
async def get_sign_in_options(request: Request, services: ServicesDep) -> Offer:
    """Return the ways to sign in that this instance offers."""
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
        is_set_up=found.is_set_up,
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
async def verify_second_factor(body: Code, request: Request, response: Response, services: ServicesDep) -> Step:
    """Check a code after the first step, and set the session cookie."""
    admission = await services.accounts.sign_in.verify_second_factor(
        cookie_in(request, PENDING), body.code, client_info_of(request)
    )
    start_session(response, request, services, admission)
    return _IN


@router.post("/passkey/begin")
async def begin_passkey_sign_in(request: Request, response: Response, services: ServicesDep) -> dict[str, Any]:
    """Return the options for authentication with a passkey, as the only step or as the second one."""
    options, sealed = await services.accounts.passkeys.authentication_options(
        origin_of(request), cookie_in(request, PENDING)
    )
    set_cookie(response, settings_of(request), CHALLENGE, sealed, _CHALLENGE_SECONDS)
    return as_json(options)


@router.post("/passkey")
async def finish_passkey_sign_in(
    body: PasskeyAnswer, request: Request, response: Response, services: ServicesDep
) -> Step:
    """Verify a passkey and set the session cookie."""
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
    """Delete the result of the first step, so that another user can sign in."""
    clear_cookie(response, settings_of(request), PENDING)


@router.post("/setup")
async def create_first_administrator(body: Setup, request: Request, response: Response, services: ServicesDep) -> Step:
    """Create the first administrator with the link that RxChat printed, and sign them in."""
    admission = await services.accounts.registration.create_first_administrator(
        body.token, name=body.name, email=body.email, password=body.password, client_info=client_info_of(request)
    )
    return _IN if start_session(response, request, services, admission) else _SECOND


@router.post("/register", status_code=202)
async def register(body: NewAccount, request: Request, response: Response, services: ServicesDep) -> Step:
    """Register an account, if registration is open.

    With mail, the answer is "check your mail" in any case; without, the user is signed in.
    """
    admission = await services.accounts.registration.register(
        name=body.name, email=body.email, password=body.password, client_info=client_info_of(request)
    )
    if admission is None:
        return Step(next="mail")
    return _IN if start_session(response, request, services, admission) else _SECOND


@router.post("/link", status_code=204)
async def check_link(body: LinkOfKind, request: Request, services: ServicesDep) -> None:
    """Check that a link is valid, before the user fills in its form."""
    await services.accounts.registration.check_link(body.kind, body.token, client_info_of(request))


@router.post("/invitation")
async def get_invitation(body: Link, request: Request, response: Response, services: ServicesDep) -> dict[str, str]:
    """Return whom an invitation is for, and store it in a cookie, so that no URL carries it to a provider."""
    email = await services.accounts.registration.get_invitation(body.token, client_info_of(request))
    set_cookie(response, settings_of(request), INVITATION, body.token, _INVITATION_SECONDS)
    return {"email": email}


@router.post("/join")
async def accept_invitation(body: Join, request: Request, response: Response, services: ServicesDep) -> Step:
    """Accept an invitation, and sign the new user in."""
    admission = await services.accounts.registration.accept_invitation(
        body.token, name=body.name, password=body.password, client_info=client_info_of(request)
    )
    clear_cookie(response, settings_of(request), INVITATION)
    return _IN if start_session(response, request, services, admission) else _SECOND


@router.post("/confirm", status_code=204)
async def confirm_email(body: Link, request: Request, services: ServicesDep) -> None:
    """Confirm the e-mail address of an account."""
    await services.accounts.registration.confirm(body.token, client_info_of(request))


@router.post("/forgot", status_code=202)
async def request_password_reset(body: Forgot, request: Request, services: ServicesDep) -> Step:
    """Mail a reset link if the account exists. The answer is the same if it does not."""
    await services.accounts.password_reset.request_reset(body.email, client_info_of(request))
    return Step(next="mail" if services.platform.mail_sender.is_configured else "administrator")


@router.post("/reset", status_code=204)
async def reset_password(body: Reset, request: Request, response: Response, services: ServicesDep) -> None:
    """Set a new password by a reset link. The user then signs in with it, second factor included."""
    await services.accounts.password_reset.reset(body.token, body.password, client_info_of(request))
    clear_cookie(response, settings_of(request), COOKIE)


@router.post("/sign-out", status_code=204)
async def sign_out(request: Request, response: Response, services: ServicesDep) -> None:
    """End this browser's session and clear its cookie. Does nothing without a session."""
    clear_cookie(response, settings_of(request), COOKIE)
    clear_cookie(response, settings_of(request), PENDING)
    clear_cookie(response, settings_of(request), INVITATION)
    try:
        current_user = await authenticate(request, services, enrolling=True)
    except NotSignedIn:
        return
    await services.accounts.sessions.sign_out(current_user, client_info_of(request))
