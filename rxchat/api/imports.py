"""Imports of conversations from files of other systems and of RxChat."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel
from starlette.requests import ClientDisconnect

from rxchat.api.requests import ServicesDep, SignedIn, client_info_of
from rxchat.domain.errors import InvalidInput

IMPORTS = "/api/imports"

router = APIRouter(prefix=IMPORTS, tags=["imports"])


class ImportedOut(BaseModel):
    """A conversation that was imported."""

    id: UUID
    title: str
    source: str
    notes: list[str]


class SkippedOut(BaseModel):
    """A conversation that was not imported, and why."""

    title: str
    reason: str


class ImportOut(BaseModel):
    """An import with its progress and report; the lists name the first 500 conversations."""

    id: UUID
    file_name: str
    state: str
    found: int
    imported: int
    skipped: int
    imported_items: list[ImportedOut]
    skipped_items: list[SkippedOut]
    error: str
    created_at: datetime
    finished_at: datetime | None


class Started(BaseModel):
    """An import that has begun."""

    id: UUID


@router.post("", status_code=202)
async def start_import(
    request: Request, current_user: SignedIn, services: ServicesDep, name: Annotated[str, Query(max_length=1_000)]
) -> Started:
    """Import the conversations of a file, which is the body. They are read in the background."""
    return Started(
        id=await services.chat.conversation_imports.start(current_user, name, _body(request), client_info_of(request))
    )


@router.get("")
async def list_imports(current_user: SignedIn, services: ServicesDep) -> list[ImportOut]:
    """List the user's last imports, the newest first."""
    found = await services.chat.conversation_imports.latest(current_user)
    return [ImportOut.model_validate(item, from_attributes=True) for item in found]


@router.get("/{import_id}")
async def get_import(import_id: UUID, current_user: SignedIn, services: ServicesDep) -> ImportOut:
    """Return an import with its progress and report."""
    found = await services.chat.conversation_imports.get(current_user, import_id)
    return ImportOut.model_validate(found, from_attributes=True)


async def _body(request: Request) -> AsyncGenerator[bytes]:
    """Yield a request's body as it arrives."""
    try:
        async for data in request.stream():
            yield data
    except ClientDisconnect as error:
        raise InvalidInput("The upload was interrupted. Send the file again.") from error
