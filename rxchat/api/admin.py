"""Administration of users for API clients, and the download of the audit log."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from rxchat.api.me import Proof
from rxchat.api.requests import DOWNLOAD, BrowserUser, ServicesDep, SignedIn, client_info_of
from rxchat.domain.authorization import require
from rxchat.domain.permissions import Permission

router = APIRouter(prefix="/api/admin", tags=["admin"])


class UserOut(BaseModel):
    """A user, with the fields that administrators see."""

    id: UUID
    name: str
    email: str
    role: str
    created_at: datetime
    suspended_at: datetime | None
    has_second_factor: bool
    last_seen_at: datetime | None


class UsersPage(BaseModel):
    """One page of users, and the total number."""

    users: list[UserOut]
    total: int


class NewInvitation(BaseModel):
    """The user to invite."""

    email: str = Field(max_length=320)
    role: str = Field(default="member", max_length=40)


class Role(BaseModel):
    """The new role of a user."""

    role: str = Field(max_length=40)


@router.get("/users")
async def list_users(
    current_user: SignedIn,
    services: ServicesDep,
    words: Annotated[str, Query(max_length=200)] = "",
    role: Annotated[str, Query(max_length=40)] = "",
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> UsersPage:
    """List users by name, fifty at a time."""
    found, total = await services.access.user_admin.page(current_user, words=words, role=role, offset=offset)
    return UsersPage(users=[UserOut.model_validate(item, from_attributes=True) for item in found], total=total)


@router.post("/invitations", status_code=201)
async def create_invitation(
    body: NewInvitation, current_user: SignedIn, request: Request, services: ServicesDep
) -> dict[str, str | bool]:
    """Invite a user and return the invitation link."""
    link, is_mailed = await services.access.user_admin.invite(
        current_user, email=body.email, role=body.role, client_info=client_info_of(request)
    )
    return {"link": link, "is_mailed": is_mailed}


@router.put("/users/{user_id}/role", status_code=204)
async def set_user_role(
    user_id: UUID, body: Role, current_user: SignedIn, request: Request, services: ServicesDep
) -> None:
    """Change a user's role, which ends their sessions."""
    await services.access.user_admin.set_role(current_user, user_id, body.role, client_info_of(request))


@router.post("/users/{user_id}/suspend", status_code=204)
async def suspend_user(user_id: UUID, current_user: SignedIn, request: Request, services: ServicesDep) -> None:
    """Suspend a user, which ends their sessions."""
    await services.access.user_admin.suspend(current_user, user_id, client_info_of(request), is_suspended=True)


@router.post("/users/{user_id}/readmit", status_code=204)
async def reinstate_user(user_id: UUID, current_user: SignedIn, request: Request, services: ServicesDep) -> None:
    """Reinstate a suspended user."""
    await services.access.user_admin.suspend(current_user, user_id, client_info_of(request), is_suspended=False)


@router.post("/users/{user_id}/delete", status_code=204)
async def delete_user(
    user_id: UUID, body: Proof, current_user: BrowserUser, request: Request, services: ServicesDep
) -> None:
    """Schedule a user's account for deletion. Requires the administrator's own password."""
    require(current_user, Permission.USERS_MANAGE)
    await services.accounts.sign_in.reauthenticate(current_user, body.password, client_info_of(request))
    await services.access.user_admin.delete_account(current_user, user_id, client_info_of(request))


@router.post("/users/{user_id}/end-sessions")
async def end_user_sessions(
    user_id: UUID, current_user: SignedIn, request: Request, services: ServicesDep
) -> dict[str, int]:
    """End all sessions of a user."""
    return {"ended": await services.access.user_admin.end_sessions(current_user, user_id, client_info_of(request))}


@router.get("/usage/export", dependencies=[DOWNLOAD])
async def export_usage(
    current_user: SignedIn,
    services: ServicesDep,
    days: Annotated[int, Query(description="The length of the period: 7, 30 or 90.")] = 30,
) -> StreamingResponse:
    """Return what each user has asked of each model on each day, as CSV."""
    lines = services.app.system_status.usage_csv(current_user, days)
    # The head: refusals have a status of their own.
    head = await anext(lines)

    async def whole() -> AsyncGenerator[str]:
        async with aclosing(lines) as rest:
            yield head
            async for line in rest:
                yield line

    return StreamingResponse(
        whole(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="rxchat-usage.csv"', "Cache-Control": "no-store"},
    )


@router.get("/audit/export", dependencies=[DOWNLOAD])
async def export_audit(current_user: SignedIn, request: Request, services: ServicesDep) -> StreamingResponse:
    """Return the audit log as JSON lines, which `python -m rxchat audit verify` can verify."""
    lines = await services.access.audit_log.export(current_user, client_info_of(request))
    return StreamingResponse(
        _with_line_ends(lines),
        media_type="application/x-ndjson",
        headers={"Content-Disposition": 'attachment; filename="rxchat-audit.jsonl"'},
    )


async def _with_line_ends(lines: AsyncGenerator[str]) -> AsyncGenerator[str]:
    async for line in lines:
        yield line + "\n"
