"""Signing in and out, and creating the first administrator."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from rxchat.api.requests import (
    caller_of,
    clear_session_cookie,
    services,
    set_session_cookie,
    settings_of,
    viewer_of,
)
from rxchat.domain.errors import NotSignedIn
from rxchat.services.graph import Services

router = APIRouter(prefix="/api/auth", tags=["auth"])


class SignIn(BaseModel):
    """What someone types to sign in."""

    email: str = Field(max_length=320)
    password: str = Field(max_length=10_000)


class Setup(BaseModel):
    """What the first administrator types."""

    token: str = Field(max_length=2_000)
    name: str = Field(max_length=1_000)
    email: str = Field(max_length=320)
    password: str = Field(max_length=10_000)


@router.post("/sign-in", status_code=204)
async def sign_in(
    body: SignIn, request: Request, response: Response, services: Annotated[Services, Depends(services)]
) -> None:
    """Check e-mail and password, and set the session cookie."""
    sealed = await services.accounts.sign_in(body.email, body.password, caller_of(request))
    seconds = int(services.accounts.absolute.total_seconds())
    set_session_cookie(response, settings_of(request), sealed, seconds)


@router.post("/setup", status_code=204)
async def set_up(
    body: Setup, request: Request, response: Response, services: Annotated[Services, Depends(services)]
) -> None:
    """Create the first administrator with the link that RxChat printed, and sign them in."""
    sealed = await services.accounts.create_first_administrator(
        body.token, name=body.name, email=body.email, password=body.password, caller=caller_of(request)
    )
    seconds = int(services.accounts.absolute.total_seconds())
    set_session_cookie(response, settings_of(request), sealed, seconds)


@router.post("/sign-out", status_code=204)
async def sign_out(request: Request, response: Response, services: Annotated[Services, Depends(services)]) -> None:
    """End this browser's session on the server, and take its cookie back; without one there is nothing to do."""
    clear_session_cookie(response, settings_of(request))
    try:
        viewer = await viewer_of(request, services)
    except NotSignedIn:
        return
    await services.accounts.sign_out(viewer, caller_of(request))
