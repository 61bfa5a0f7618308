"""The signed-in user's own account, for browsers and API clients."""

from __future__ import annotations

from datetime import datetime
from textwrap import wrap
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from rxchat.api.requests import (
    CHALLENGE,
    DOWNLOAD,
    BrowserUser,
    EnrollingUser,
    ServicesDep,
    SignedIn,
    clear_cookie,
    client_info_of,
    cookie_in,
    origin_of,
    set_cookie,
    settings_of,
)
from rxchat.domain.authorization import require_scope
from rxchat.domain.permissions import Scope
from rxchat.services.accounts.passkeys import as_json

router = APIRouter(prefix="/api/me", tags=["me"])

_CHALLENGE_SECONDS = 300


class Me(BaseModel):
    """The signed-in user, and what the credential in use permits."""

    id: UUID
    name: str
    email: str
    role: str
    permissions: list[str]
    scopes: list[str] | None


class NewPassword(BaseModel):
    """The current password and the new one."""

    present: str = Field(default="", max_length=10_000)
    wanted: str = Field(max_length=10_000)


class Proof(BaseModel):
    """The current password, which actions that cannot be undone require."""

    password: str = Field(default="", max_length=10_000)


class Code(Proof):
    """The current password, and a code of the authenticator app."""

    code: str = Field(default="", max_length=100)


class NewPasskey(BaseModel):
    """The credential that the browser created, and the name that the user gave it."""

    credential: dict[str, Any]
    name: str = Field(default="", max_length=200)


class NewKey(Proof):
    """The name, scopes and lifetime of a new API key."""

    name: str = Field(max_length=200)
    scopes: list[str] = Field(max_length=10)
    days: int | None = None


class Key(BaseModel):
    """An API key; `key` contains the secret once, when the key is created."""

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
async def get_current_user(current_user: SignedIn) -> Me:
    """Return the signed-in user."""
    require_scope(current_user, Scope.READ)
    return Me(
        id=current_user.user_id,
        name=current_user.name,
        email=current_user.email,
        role=current_user.role,
        permissions=sorted(current_user.permissions),
        scopes=None if current_user.scopes is None else sorted(current_user.scopes),
    )


@router.post("/password", status_code=204)
async def change_password(
    body: NewPassword, current_user: BrowserUser, request: Request, services: ServicesDep
) -> None:
    """Change the password, which ends the other sessions and revokes API keys."""
    await services.accounts.password_reset.change(
        current_user, present=body.present, wanted=body.wanted, client_info=client_info_of(request)
    )


@router.get("/sessions")
async def list_sessions(current_user: SignedIn, services: ServicesDep) -> list[Session]:
    """List the user's sessions."""
    require_scope(current_user, Scope.READ)
    return [
        Session.model_validate(item, from_attributes=True)
        for item in await services.accounts.sessions.mine(current_user)
    ]


@router.delete("/sessions/{session_id}", status_code=204)
async def end_session(session_id: UUID, current_user: BrowserUser, request: Request, services: ServicesDep) -> None:
    """End one of the user's sessions."""
    await services.accounts.sessions.end(current_user, session_id, client_info_of(request))


@router.get("/keys")
async def list_api_keys(current_user: SignedIn, services: ServicesDep) -> list[Key]:
    """List the user's API keys."""
    require_scope(current_user, Scope.READ)
    return [
        Key.model_validate(item, from_attributes=True)
        for item in await services.accounts.api_credentials.keys(current_user)
    ]


@router.post("/keys", status_code=201)
async def create_api_key(
    body: NewKey, current_user: SignedIn, person: BrowserUser, request: Request, services: ServicesDep
) -> Key:
    """Create an API key; only this response contains its secret."""
    await services.accounts.sign_in.reauthenticate(person, body.password, client_info_of(request))
    made, words = await services.accounts.api_credentials.create_key(
        current_user, name=body.name, scopes=body.scopes, days=body.days, client_info=client_info_of(request)
    )
    return Key.model_validate(made, from_attributes=True).model_copy(update={"key": words})


@router.delete("/keys/{key_id}", status_code=204)
async def revoke_api_key(key_id: UUID, current_user: BrowserUser, request: Request, services: ServicesDep) -> None:
    """Revoke a key permanently."""
    await services.accounts.api_credentials.revoke_key(current_user, key_id, client_info_of(request))


@router.post("/totp/begin")
async def begin_totp(
    body: Proof, current_user: EnrollingUser, request: Request, services: ServicesDep
) -> dict[str, str]:
    """Return a new secret for an authenticator app, as text and as an image; soon after the sign-in without password."""
    await services.accounts.sign_in.reauthenticate_to_enroll(current_user, body.password, client_info_of(request))
    offer = await services.accounts.second_factors.begin_totp(current_user)
    # In groups of four it can be copied by hand.
    grouped = " ".join(wrap(offer.secret, 4))
    return {"secret": offer.secret, "grouped": grouped, "uri": offer.uri, "picture": offer.picture}


@router.post("/totp/confirm")
async def confirm_totp(
    body: Code, current_user: EnrollingUser, request: Request, services: ServicesDep
) -> dict[str, list[str]]:
    """Enable the authenticator app with its first code, and return the recovery codes."""
    await services.accounts.rate_limits.attempt("totp", client_info_of(request), str(current_user.user_id))
    return {
        "codes": await services.accounts.second_factors.confirm_totp(current_user, body.code, client_info_of(request))
    }


@router.post("/totp/remove", status_code=204)
async def remove_totp(body: Proof, current_user: BrowserUser, request: Request, services: ServicesDep) -> None:
    """Remove the authenticator app."""
    await services.accounts.sign_in.reauthenticate(current_user, body.password, client_info_of(request))
    await services.accounts.second_factors.remove_totp(current_user, client_info_of(request))


@router.post("/recovery-codes")
async def regenerate_recovery_codes(
    body: Proof, current_user: BrowserUser, request: Request, services: ServicesDep
) -> dict[str, list[str]]:
    """Return ten new recovery codes."""
    await services.accounts.sign_in.reauthenticate(current_user, body.password, client_info_of(request))
    return {"codes": await services.accounts.second_factors.regenerate_codes(current_user, client_info_of(request))}


@router.post("/passkeys/begin")
async def begin_passkey_registration(
    body: Proof, current_user: EnrollingUser, request: Request, response: Response, services: ServicesDep
) -> dict[str, Any]:
    """Return the options for the registration of a passkey."""
    await services.accounts.sign_in.reauthenticate(current_user, body.password, client_info_of(request))
    options, sealed = await services.accounts.passkeys.registration_options(current_user, origin_of(request))
    set_cookie(response, settings_of(request), CHALLENGE, sealed, _CHALLENGE_SECONDS)
    return as_json(options)


@router.post("/passkeys", status_code=204)
async def finish_passkey_registration(
    body: NewPasskey, current_user: EnrollingUser, request: Request, response: Response, services: ServicesDep
) -> None:
    """Add a passkey that the browser created."""
    await services.accounts.passkeys.add(
        current_user,
        cookie_in(request, CHALLENGE),
        body.credential,
        body.name,
        origin_of(request),
        client_info_of(request),
    )
    clear_cookie(response, settings_of(request), CHALLENGE)


@router.post("/passkeys/{passkey_id}/remove", status_code=204)
async def remove_passkey(
    passkey_id: UUID, body: Proof, current_user: BrowserUser, request: Request, services: ServicesDep
) -> None:
    """Remove a passkey."""
    await services.accounts.sign_in.reauthenticate(current_user, body.password, client_info_of(request))
    await services.accounts.passkeys.remove(current_user, passkey_id, client_info_of(request))


@router.post("/identities/{identity_id}/remove", status_code=204)
async def unlink_identity(
    identity_id: UUID, body: Proof, current_user: BrowserUser, request: Request, services: ServicesDep
) -> None:
    """Unlink an external account."""
    await services.accounts.sign_in.reauthenticate(current_user, body.password, client_info_of(request))
    await services.accounts.external_login.unlink(current_user, identity_id, client_info_of(request))


@router.post("/export")
async def request_data_export(
    body: Proof, current_user: BrowserUser, request: Request, services: ServicesDep
) -> dict[str, str]:
    """Return a URL that downloads the user's data: once, within a minute, in this session only."""
    ticket = await services.app.data_export.issue_ticket(current_user, body.password, client_info_of(request))
    return {"url": f"/api/me/export/{ticket}"}


@router.get("/export/{ticket}", dependencies=[DOWNLOAD])
async def download_data_export(
    ticket: str, current_user: BrowserUser, request: Request, services: ServicesDep
) -> StreamingResponse:
    """Return all of the user's data as a zip file."""
    pieces = await services.app.data_export.download(current_user, ticket, client_info_of(request))
    return StreamingResponse(
        pieces,
        media_type="application/zip",
        headers={"Content-Disposition": 'attachment; filename="rxchat-my-data.zip"'},
    )


@router.post("/delete", status_code=200)
async def schedule_account_deletion(
    body: Proof, current_user: BrowserUser, request: Request, services: ServicesDep
) -> dict[str, datetime]:
    """Schedule the user's account for deletion."""
    return {"at": await services.app.account_deletion.schedule(current_user, body.password, client_info_of(request))}


@router.post("/keep", status_code=204)
async def cancel_account_deletion(current_user: BrowserUser, request: Request, services: ServicesDep) -> None:
    """Cancel the deletion of the user's account."""
    await services.app.account_deletion.cancel(current_user, client_info_of(request))
