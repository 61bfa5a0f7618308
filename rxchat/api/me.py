"""What a person (or a program in their name) asks about themselves and changes of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from rxchat.api.requests import (
    CHALLENGE,
    DOWNLOAD,
    BrowserUser,
    EnrollingPerson,
    ServicesDep,
    SignedIn,
    caller_of,
    clear_cookie,
    cookie_in,
    origin_of,
    set_cookie,
    settings_of,
)
from rxchat.domain.permissions import Scope, require_scope
from rxchat.services.accounts.passkeys import as_json

router = APIRouter(prefix="/api/me", tags=["me"])

_CHALLENGE_SECONDS = 300


class Me(BaseModel):
    """Who is signed in, and what they may do with what they are signed in with."""

    id: UUID
    name: str
    email: str
    role: str
    permissions: list[str]
    scopes: list[str] | None


class NewPassword(BaseModel):
    """The present password and the one that is wanted."""

    present: str = Field(default="", max_length=10_000)
    wanted: str = Field(max_length=10_000)


class Proof(BaseModel):
    """The present password, before something that cannot be taken back."""

    password: str = Field(default="", max_length=10_000)


class Code(Proof):
    """A code of the authenticator app."""

    code: str = Field(default="", max_length=100)


class NewPasskey(BaseModel):
    """What the browser has made, and what its person calls it."""

    credential: dict[str, Any]
    name: str = Field(default="", max_length=200)


class NewKey(Proof):
    """What an API key is for."""

    name: str = Field(max_length=200)
    scopes: list[str] = Field(max_length=10)
    days: int | None = None


class Key(BaseModel):
    """An API key; its words are in `key` once, when it is made."""

    id: UUID
    name: str
    prefix: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    key: str = ""


class Session(BaseModel):
    """A sign-in."""

    id: UUID
    kind: str
    method: str
    user_agent: str
    address: str
    created_at: datetime
    last_seen_at: datetime
    is_this: bool


@router.get("")
async def me(viewer: SignedIn) -> Me:
    """Say who is signed in."""
    require_scope(viewer, Scope.READ)
    return Me(
        id=viewer.user_id,
        name=viewer.name,
        email=viewer.email,
        role=viewer.role,
        permissions=sorted(viewer.permissions),
        scopes=None if viewer.scopes is None else sorted(viewer.scopes),
    )


@router.post("/password", status_code=204)
async def change_password(body: NewPassword, viewer: BrowserUser, request: Request, services: ServicesDep) -> None:
    """Change the password; everything else that is signed in ends, API keys included."""
    await services.password_changes.change(viewer, present=body.present, wanted=body.wanted, caller=caller_of(request))


@router.get("/sessions")
async def sessions(viewer: SignedIn, services: ServicesDep) -> list[Session]:
    """List where the person is signed in."""
    require_scope(viewer, Scope.READ)
    return [Session.model_validate(item, from_attributes=True) for item in await services.sessions.mine(viewer)]


@router.delete("/sessions/{session_id}", status_code=204)
async def end_session(session_id: UUID, viewer: BrowserUser, request: Request, services: ServicesDep) -> None:
    """End one of them."""
    await services.sessions.end(viewer, session_id, caller_of(request))


@router.get("/keys")
async def keys(viewer: SignedIn, services: ServicesDep) -> list[Key]:
    """List the person's API keys."""
    require_scope(viewer, Scope.READ)
    return [Key.model_validate(item, from_attributes=True) for item in await services.programs.keys(viewer)]


@router.post("/keys", status_code=201)
async def create_key(
    body: NewKey, viewer: SignedIn, person: BrowserUser, request: Request, services: ServicesDep
) -> Key:
    """Make an API key; its words are in this answer and never again."""
    await services.authentication.reauthenticate(person, body.password, caller_of(request))
    made, words = await services.programs.create_key(
        viewer, name=body.name, scopes=body.scopes, days=body.days, caller=caller_of(request)
    )
    return Key.model_validate(made, from_attributes=True).model_copy(update={"key": words})


@router.delete("/keys/{key_id}", status_code=204)
async def revoke_key(key_id: UUID, viewer: BrowserUser, request: Request, services: ServicesDep) -> None:
    """Revoke a key for good."""
    await services.programs.revoke_key(viewer, key_id, caller_of(request))


@router.post("/totp/begin")
async def begin_totp(body: Proof, viewer: EnrollingPerson, request: Request, services: ServicesDep) -> dict[str, str]:
    """Return a secret for an authenticator app, as text and as a picture."""
    await services.authentication.reauthenticate(viewer, body.password, caller_of(request))
    offer = await services.second_factors.begin_totp(viewer)
    return {"secret": offer.secret, "uri": offer.uri, "picture": offer.picture}


@router.post("/totp/confirm")
async def confirm_totp(
    body: Code, viewer: EnrollingPerson, request: Request, services: ServicesDep
) -> dict[str, list[str]]:
    """Put the authenticator app in force with its first code, and return the recovery codes."""
    await services.limits.attempt("totp", caller_of(request), str(viewer.user_id))
    return {"codes": await services.second_factors.confirm_totp(viewer, body.code, caller_of(request))}


@router.post("/totp/remove", status_code=204)
async def remove_totp(body: Proof, viewer: BrowserUser, request: Request, services: ServicesDep) -> None:
    """Remove the authenticator app."""
    await services.authentication.reauthenticate(viewer, body.password, caller_of(request))
    await services.second_factors.remove_totp(viewer, caller_of(request))


@router.post("/recovery-codes")
async def renew_codes(
    body: Proof, viewer: BrowserUser, request: Request, services: ServicesDep
) -> dict[str, list[str]]:
    """Return ten new recovery codes."""
    await services.authentication.reauthenticate(viewer, body.password, caller_of(request))
    return {"codes": await services.second_factors.regenerate_codes(viewer, caller_of(request))}


@router.post("/passkeys/begin")
async def begin_passkey(
    body: Proof, viewer: EnrollingPerson, request: Request, response: Response, services: ServicesDep
) -> dict[str, Any]:
    """Return what the browser needs to make a passkey."""
    await services.authentication.reauthenticate(viewer, body.password, caller_of(request))
    options, sealed = await services.passkeys.registration_options(viewer, origin_of(request))
    set_cookie(response, settings_of(request), CHALLENGE, sealed, _CHALLENGE_SECONDS)
    return as_json(options)


@router.post("/passkeys", status_code=204)
async def add_passkey(
    body: NewPasskey, viewer: EnrollingPerson, request: Request, response: Response, services: ServicesDep
) -> None:
    """Keep a passkey that the browser has made."""
    await services.passkeys.add(
        viewer, cookie_in(request, CHALLENGE), body.credential, body.name, origin_of(request), caller_of(request)
    )
    clear_cookie(response, settings_of(request), CHALLENGE)


@router.post("/passkeys/{passkey_id}/remove", status_code=204)
async def remove_passkey(
    passkey_id: UUID, body: Proof, viewer: BrowserUser, request: Request, services: ServicesDep
) -> None:
    """Remove a passkey."""
    await services.authentication.reauthenticate(viewer, body.password, caller_of(request))
    await services.passkeys.remove(viewer, passkey_id, caller_of(request))


@router.post("/identities/{identity_id}/remove", status_code=204)
async def untie(identity_id: UUID, body: Proof, viewer: BrowserUser, request: Request, services: ServicesDep) -> None:
    """Untie an account elsewhere."""
    await services.authentication.reauthenticate(viewer, body.password, caller_of(request))
    await services.federation.unlink(viewer, identity_id, caller_of(request))


@router.post("/export")
async def begin_export(body: Proof, viewer: BrowserUser, request: Request, services: ServicesDep) -> dict[str, str]:
    """Return where everything about the person can be downloaded: once, within a minute, by this sign-in alone."""
    ticket = await services.my_data.begin_export(viewer, body.password, caller_of(request))
    return {"url": f"/api/me/export/{ticket}"}


@router.get("/export/{ticket}", dependencies=[DOWNLOAD])
async def export(ticket: str, viewer: BrowserUser, request: Request, services: ServicesDep) -> StreamingResponse:
    """Return everything about the person as a zip file."""
    pieces = await services.my_data.export(viewer, ticket, caller_of(request))
    return StreamingResponse(
        pieces,
        media_type="application/zip",
        headers={"Content-Disposition": 'attachment; filename="rxchat-my-data.zip"'},
    )


@router.post("/delete", status_code=200)
async def delete_account(
    body: Proof, viewer: BrowserUser, request: Request, services: ServicesDep
) -> dict[str, datetime]:
    """Have the account deleted after the grace time."""
    return {"at": await services.my_data.delete_account(viewer, body.password, caller_of(request))}


@router.post("/keep", status_code=204)
async def keep_account(viewer: BrowserUser, request: Request, services: ServicesDep) -> None:
    """Keep the account after all."""
    await services.my_data.keep_account(viewer, caller_of(request))
