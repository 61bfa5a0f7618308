"""Conversations for programs: list, begin, read, change, delete, restore, and their events."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response
from pydantic import BaseModel, Field

from rxchat.api.requests import ServicesDep, SignedIn
from rxchat.api.v1.paging import cursor_of, link_next, position_of
from rxchat.api.v1.scopes import needs
from rxchat.domain.conversations import ConversationList, ConversationSummary, ListPosition
from rxchat.domain.errors import InvalidInput
from rxchat.domain.permissions import Scope
from rxchat.services.chat.conversation_changes import ConversationFacts

PATH = "/api/v1/conversations"
_MOST_LISTED, _MOST_EVENTS = 100, 500
_TAG = re.compile(r'"(\d{1,9})"')

router = APIRouter(prefix=PATH, tags=["conversations"])


class ConversationLine(BaseModel):
    """A conversation in a list."""

    id: UUID
    title: str
    model: str
    updated_at: datetime
    is_pinned: bool
    is_archived: bool
    is_running: bool


class ConversationPage(BaseModel):
    """A page of a list. The header `Link` has the address of the next one, with `next_cursor`."""

    conversations: list[ConversationLine]
    next_cursor: str | None


class RunLine(BaseModel):
    """An answer in progress."""

    id: UUID
    message_id: UUID
    model: str


class ConversationOut(BaseModel):
    """A conversation without its messages. `seq` is its version, which `ETag` has, too."""

    id: UUID
    title: str
    model: str
    seq: int
    leaf_id: UUID | None
    created_at: datetime
    updated_at: datetime
    is_pinned: bool
    is_archived: bool
    is_own: bool
    run: RunLine | None


class ChangedConversation(BaseModel, extra="forbid"):
    """What is to change; the rest stays."""

    title: str | None = Field(default=None, max_length=1_000, examples=["A better title"])
    is_pinned: bool | None = None
    is_archived: bool | None = None


class EventOut(BaseModel):
    """What happened in a conversation, as it is stored. Later versions may have more types, and more fields of them."""

    seq: int
    type: str
    at: datetime
    data: dict[str, Any]


class EventsOut(BaseModel):
    """Events after a seq, the oldest first; `has_more` when there are others after them."""

    events: list[EventOut]
    has_more: bool


@router.get("", **needs(Scope.READ))
async def list_conversations_v1(
    current_user: SignedIn,
    services: ServicesDep,
    response: Response,
    wanted: Annotated[ConversationList, Query(alias="list")] = ConversationList.CURRENT,
    cursor: Annotated[str, Query(max_length=300)] = "",
    limit: Annotated[int, Query(ge=1, le=_MOST_LISTED)] = 50,
) -> ConversationPage:
    """List the user's conversations, the last changed first; of the archive and the trash, what was put there last."""
    after = position_of(cursor)
    found = await services.chat.conversations.page(current_user, wanted, after=after, limit=limit + 1)
    shown = found[:limit]
    following = cursor_of(_position(shown[-1], wanted)) if len(found) > limit else None
    if following is not None:
        link_next(response, PATH, list=wanted.value, cursor=following, limit=limit)
    return ConversationPage(conversations=[_line(item) for item in shown], next_cursor=following)


def _position(item: ConversationSummary, of: ConversationList) -> ListPosition:
    put_there = {ConversationList.ARCHIVED: item.archived_at, ConversationList.DELETED: item.deleted_at}
    return put_there.get(of) or item.updated_at, item.id


def _line(item: ConversationSummary) -> ConversationLine:
    return ConversationLine(
        id=item.id,
        title=item.title,
        model=item.model,
        updated_at=item.updated_at,
        is_pinned=item.pinned_at is not None,
        is_archived=item.archived_at is not None,
        is_running=item.is_running,
    )


@router.get("/{conversation_id}", **needs(Scope.READ))
async def get_conversation_v1(
    conversation_id: UUID, current_user: SignedIn, services: ServicesDep, response: Response
) -> ConversationOut:
    """Return a conversation that the user may read, without its messages."""
    return _shown(await services.chat.conversation_changes.facts(current_user, conversation_id), response)


@router.patch("/{conversation_id}", **needs(Scope.CHAT))
async def change_conversation(
    conversation_id: UUID,
    body: ChangedConversation,
    current_user: SignedIn,
    services: ServicesDep,
    response: Response,
    if_match: Annotated[str, Header(max_length=100)] = "",
) -> ConversationOut:
    """Rename, pin or archive a conversation. With `If-Match`, only the version with this `ETag`, otherwise 412."""
    changed = await services.chat.conversation_changes.change(
        current_user,
        conversation_id,
        title=body.title,
        is_pinned=body.is_pinned,
        is_archived=body.is_archived,
        expected_seq=seq_of(if_match),
    )
    return _shown(changed, response)


@router.delete("/{conversation_id}", status_code=204, **needs(Scope.CHAT))
async def delete_conversation(conversation_id: UUID, current_user: SignedIn, services: ServicesDep) -> None:
    """Move a conversation to the trash, where it can be restored for 30 days; stops its answer."""
    await services.chat.conversations.remove(current_user, conversation_id)


@router.post("/{conversation_id}/restore", status_code=204, **needs(Scope.CHAT))
async def restore_conversation(conversation_id: UUID, current_user: SignedIn, services: ServicesDep) -> None:
    """Restore a conversation from the trash."""
    await services.chat.conversations.restore(current_user, conversation_id)


@router.get("/{conversation_id}/events", **needs(Scope.READ))
async def list_events(
    conversation_id: UUID,
    current_user: SignedIn,
    services: ServicesDep,
    after: Annotated[int, Query(ge=0, le=2_000_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=_MOST_EVENTS)] = 100,
) -> EventsOut:
    """Return what happened in one of the user's own conversations after a seq: all of it, other branches too."""
    found = await services.chat.conversation_changes.events(current_user, conversation_id, after, limit + 1)
    shown = [EventOut.model_validate(item, from_attributes=True) for item in found[:limit]]
    return EventsOut(events=shown, has_more=len(found) > limit)


def _shown(facts: ConversationFacts, response: Response) -> ConversationOut:
    response.headers["ETag"] = f'"{facts.seq}"'
    return ConversationOut.model_validate(facts, from_attributes=True)


def seq_of(if_match: str) -> int | None:
    """Return the version that If-Match names; None for any.

    Raises:
        InvalidInput: when it is no ETag of a conversation.
    """
    if if_match.strip() in {"", "*"}:
        return None
    found = _TAG.fullmatch(if_match.strip())
    if found is None:
        raise InvalidInput("If-Match has to be the ETag that was read, in its quotation marks.")
    return int(found[1])
