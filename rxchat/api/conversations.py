"""The user's own conversations, for API clients."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from rxchat.api.headers import disposition
from rxchat.api.requests import DOWNLOAD, ServicesDep, SignedIn
from rxchat.domain.authorization import require_scope
from rxchat.domain.bulk_actions import MOST_AT_ONCE, BulkAction
from rxchat.domain.exports.conversation import ExportFormat
from rxchat.domain.exports.html import POLICY
from rxchat.domain.permissions import Scope

LISTED = 200
MAX_SEQ = 2**31 - 1

router = APIRouter(prefix="/api/conversations", tags=["conversations"])


class Summary(BaseModel):
    """A conversation in a list."""

    id: UUID
    title: str
    model: str
    updated_at: datetime
    is_running: bool
    is_unread: bool
    tag_ids: tuple[UUID, ...]


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
    seq: int
    """The last event that these messages show."""


class BulkChange(BaseModel):
    """An action on several conversations."""

    action: BulkAction
    ids: Annotated[list[UUID], Field(min_length=1, max_length=MOST_AT_ONCE)]


class Draft(BaseModel):
    """What a user has typed and not sent."""

    text: str


class ReadUpTo(BaseModel):
    """The last event of a conversation that the user has seen."""

    seq: Annotated[int, Field(ge=0, le=MAX_SEQ)]


@router.get("")
async def list_conversations(current_user: SignedIn, services: ServicesDep, tag: UUID | None = None) -> list[Summary]:
    """List the user's latest conversations, the newest first; with `tag`, those that have the tag with this ID."""
    require_scope(current_user, Scope.READ)
    found = await services.chat.conversations.page(current_user, limit=LISTED, tag_id=tag)
    return [Summary.model_validate(item, from_attributes=True) for item in found]


@router.post("/bulk")
async def change_conversations(
    wanted: BulkChange, current_user: SignedIn, services: ServicesDep
) -> dict[str, list[UUID]]:
    """Archive, pin, delete or restore several conversations; return the IDs of those that were `changed`.

    If one of them does not exist, none is changed.
    """
    changed = await services.chat.organizing.bulk_actions.change(current_user, wanted.ids, wanted.action)
    return {"changed": changed}


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
        seq=page.seq,
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


@router.put("/{conversation_id}/read", status_code=204)
async def mark_read(conversation_id: UUID, read: ReadUpTo, current_user: SignedIn, services: ServicesDep) -> None:
    """Record up to which event the user has read; a conversation whose last answer ended later is marked as unread."""
    await services.chat.organizing.reads.mark(current_user, conversation_id, read.seq)


@router.get("/{conversation_id}/draft")
async def get_draft(conversation_id: UUID, current_user: SignedIn, services: ServicesDep) -> Draft:
    """Return what the user has typed and not sent, as saved by one of their devices."""
    return Draft(text=await services.chat.organizing.drafts.get(current_user, conversation_id))


@router.put("/{conversation_id}/draft", status_code=204)
async def save_draft(conversation_id: UUID, draft: Draft, current_user: SignedIn, services: ServicesDep) -> None:
    """Store what the user has typed and not sent; a blank text deletes it."""
    await services.chat.organizing.drafts.save(current_user, conversation_id, draft.text)


@router.post("/{conversation_id}/stop")
async def stop_run(conversation_id: UUID, current_user: SignedIn, services: ServicesDep) -> dict[str, bool]:
    """Stop the answer that is being written; false when there is none."""
    return {"stopped": await services.chat.messages.stop(current_user, conversation_id)}
