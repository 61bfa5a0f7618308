"""Tokens for API clients: a short-lived access token, and a refresh token that is rotated at each use."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from rxchat.api.requests import ServicesDep, SignedIn, client_info_of
from rxchat.domain.errors import NotSignedIn
from rxchat.domain.permissions import Scope

router = APIRouter(prefix="/api/auth/token", tags=["tokens"])


class Credentials(BaseModel):
    """A user's own credentials, and the scope of the tokens."""

    email: str = Field(max_length=320)
    password: str = Field(max_length=10_000)
    code: str = Field(default="", max_length=100)
    scopes: list[str] = Field(default=[Scope.READ, Scope.CHAT], max_length=10)


class Refresh(BaseModel):
    """A refresh token, which works once."""

    refresh_token: str = Field(max_length=4_000)


class Pair(BaseModel):
    """An access token for some minutes, and the refresh token that is exchanged for the next pair."""

    access_token: str
    refresh_token: str
    expires_in: int
    token_type: str = "Bearer"  # noqa: S105 - RFC 6749's word


@router.post("")
async def issue_token(body: Credentials, request: Request, services: ServicesDep) -> Pair:
    """Issue tokens to an API client."""
    pair = await services.accounts.api_credentials.sign_in(
        email=body.email,
        password=body.password,
        code=body.code,
        scopes=body.scopes,
        client_info=client_info_of(request),
    )
    return Pair(**asdict(pair))


@router.post("/refresh")
async def refresh_token(body: Refresh, request: Request, services: ServicesDep) -> Pair:
    """Exchange a refresh token for a new pair. Reuse of a token revokes all tokens derived from it."""
    try:
        pair = await services.accounts.api_credentials.refresh(body.refresh_token, client_info_of(request))
    except NotSignedIn as error:
        await services.access.denials.record(None, client_info_of(request), "refresh token", error)
        raise
    return Pair(**asdict(pair))


@router.post("/revoke", status_code=204)
async def revoke_token(current_user: SignedIn, request: Request, services: ServicesDep) -> None:
    """Revoke the client's access and refresh tokens."""
    await services.accounts.sessions.sign_out(current_user, client_info_of(request))
