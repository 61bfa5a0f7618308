"""The user's own conversations, for API clients."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from rxchat.api.headers import disposition
from rxchat.api.requests import DOWNLOAD, ServicesDep, SignedIn
from rxchat.domain.authorization import require_scope
from rxchat.domain.exports.conversation import ExportFormat
from rxchat.domain.exports.html import POLICY
from rxchat.domain.permissions import Scope

LISTED = 200

router = APIRouter(prefix="/api/conversations", tags=["conversations"])


class Summary(BaseModel):
    """A conversation in a list."""

    id: UUID
    title: str
    model: str
    updated_at: datetime
    is_running: bool


class MessageOut(BaseModel):
    """A message."""

    id: UUID
    role: str
    text: str
    model: str
    state: str


class QueuedMessageOut(BaseModel):
    """A message that waits while an answer is written."""

    id: UUID
    text: str


class Thread(BaseModel):
    """The last messages of a conversation, or those before a given message."""

    id: UUID
    title: str
    model: str
    messages: list[MessageOut]
    has_older: bool


@router.get("")
async def list_conversations(current_user: SignedIn, services: ServicesDep) -> list[Summary]:
    """List the user's latest conversations, the newest first."""
    require_scope(current_user, Scope.READ)
    found = await services.chat.conversations.page(current_user, limit=LISTED)
    return [Summary.model_validate(item, from_attributes=True) for item in found]


@router.get("/{conversation_id}")
async def get_conversation(
    conversation_id: UUID, current_user: SignedIn, services: ServicesDep, before: UUID | None = None
) -> Thread:
    """Return the last messages of a conversation."""
    require_scope(current_user, Scope.READ)
    page = await services.chat.conversations.open(current_user, conversation_id, before=before, limit=100)
    return Thread(
        id=page.conversation_id,
        title=page.title,
        model=page.model,
        messages=[MessageOut.model_validate(item, from_attributes=True) for item in page.messages],
        has_older=page.has_older,
    )


@router.get("/{conversation_id}/export", dependencies=[DOWNLOAD])
async def export_conversation(
    conversation_id: UUID,
    current_user: SignedIn,
    services: ServicesDep,
    wanted: Annotated[ExportFormat, Query(alias="format")] = ExportFormat.MARKDOWN,
    *,
    show: bool = False,
) -> StreamingResponse:
    """Return a conversation as a file: `markdown`, `html` or `json`. With `show`, browsers open HTML instead of saving it."""
    file = await services.chat.conversation_export.file(current_user, conversation_id, wanted)
    is_shown = show and wanted is ExportFormat.HTML
    # Models wrote it, so nothing in it may run, wherever it is opened. What is shown is of RxChat's origin, so that the page
    # can print it.
    policy = f"{POLICY}; frame-ancestors 'none'" + ("" if is_shown else "; sandbox")
    return StreamingResponse(
        file.pieces,
        media_type=file.media_type,
        headers={
            "Content-Security-Policy": policy,
            "Content-Disposition": disposition(file.name, "inline" if is_shown else "attachment"),
        },
    )


@router.get("/{conversation_id}/queued/{message_id}")
async def get_queued_message(
    conversation_id: UUID, message_id: UUID, current_user: SignedIn, services: ServicesDep
) -> QueuedMessageOut:
    """Return a queued message: a page has its text whole before it removes the message."""
    text = await services.chat.conversations.queued_text(current_user, conversation_id, message_id)
    return QueuedMessageOut(id=message_id, text=text)


@router.post("/{conversation_id}/stop")
async def stop_run(conversation_id: UUID, current_user: SignedIn, services: ServicesDep) -> dict[str, bool]:
    """Stop the answer that is being written; false when there is none."""
    return {"stopped": await services.chat.messages.stop(current_user, conversation_id)}
