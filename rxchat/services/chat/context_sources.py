"""Context sources of a conversation: attaching, removing and listing them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.db.chat import conversation_sources as rows
from rxchat.db.chat import conversations as conversation_rows
from rxchat.db.chat import turn_queries
from rxchat.db.chat.conversation_sources import SourceRef
from rxchat.db.documents import documents as document_rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import require_scope
from rxchat.domain.conversations import ContextKind, ContextSourceAttached, ContextSourceDetached, ThreadMessage
from rxchat.domain.documents import DocumentState
from rxchat.domain.errors import Conflict, InvalidInput, NotFound
from rxchat.domain.permissions import Scope
from rxchat.services.chat.event_appender import EventAppender

MOST_ATTACHED = 50
_GONE = "Something you attached no longer exists, or you have no access to it. Remove it and send again."


@dataclass(frozen=True, slots=True)
class Attached:
    """The attachments of a message."""

    ids: tuple[UUID, ...] = ()
    """Collections and documents."""
    draft_key: UUID | None = None
    """The key under which the page uploaded files for this message."""


async def events_of(
    session: AsyncSession, current_user: CurrentUser, attached: Attached, known: Sequence[SourceRef] = ()
) -> list[ContextSourceAttached]:
    """Return the events that attach new sources to a conversation, given the existing ones.

    Raises:
        InvalidInput: when a source was deleted, or the user may not read it.
    """
    if attached != Attached():
        require_scope(current_user, Scope.FILES)
    have = {item.id for item in known}
    events = [await _named(session, found) for found in dict.fromkeys(attached.ids) if found not in have]
    if attached.draft_key is not None:
        collection_id = await document_rows.find_attachments(session, current_user.user_id, attached.draft_key)
        found = await document_rows.documents(session, collection_id) if collection_id else []
        # An interrupted upload is not part of the message.
        held = [item for item in found if item.state is not DocumentState.UPLOADING]
        if not held and collection_id not in have:
            raise InvalidInput(_GONE)
        if collection_id is not None and collection_id not in have:
            name = held[0].name if len(held) == 1 else f"{len(held)} files"
            events.append(ContextSourceAttached(source_id=collection_id, kind=ContextKind.ATTACHMENTS, name=name))
    if len(have) + len(events) > MOST_ATTACHED:
        raise InvalidInput(f"At most {MOST_ATTACHED} collections and files can be attached to a conversation.")
    return events


async def _named(session: AsyncSession, found: UUID) -> ContextSourceAttached:
    collection = await document_rows.collection(session, found)
    if collection is not None:
        return ContextSourceAttached(source_id=found, kind=ContextKind.COLLECTION, name=collection.name)
    document = await document_rows.document(session, found)
    if document is None:
        raise InvalidInput(_GONE)
    return ContextSourceAttached(source_id=found, kind=ContextKind.DOCUMENT, name=document.name)


async def attachments_of(session: AsyncSession, current_user: CurrentUser, attached: Attached) -> list[dict[str, Any]]:
    """Return what is sent with a message, to be kept with it: the `id`, `kind` and `name` of each document and collection."""
    attachments = list[dict[str, Any]]()
    if attached.draft_key is not None:
        collection_id = await document_rows.find_attachments(session, current_user.user_id, attached.draft_key)
        found = await document_rows.documents(session, collection_id) if collection_id else []
        # In the order in which they were attached; files in an e-mail are named by the e-mail.
        own = [item for item in found if item.parent_id is None and item.state is not DocumentState.UPLOADING]
        attachments += [_attachment(item.id, ContextKind.DOCUMENT, item.name) for item in reversed(own)]
    named = [await _named(session, found) for found in dict.fromkeys(attached.ids)]
    return attachments + [_attachment(item.source_id, item.kind, item.name) for item in named]


def _attachment(identifier: UUID, kind: ContextKind, name: str) -> dict[str, Any]:
    return {"id": str(identifier), "kind": kind.value, "name": name}


async def with_readable_attachments(
    session: AsyncSession, messages: Sequence[ThreadMessage], *, is_own: bool
) -> list[ThreadMessage]:
    """Return messages whose attachments say in `is_there` whether the acting user can open them now.

    Of what the user cannot open, other users' messages do not show the name.
    """
    ids = [UUID(item["id"]) for message in messages for item in message.attachments]
    readable = {str(found) for found in await document_rows.readable(session, ids)} if ids else set[str]()

    def shown(item: dict[str, Any]) -> dict[str, Any]:
        is_there = item["id"] in readable
        return {**item, "name": item["name"] if is_there or is_own else "", "is_there": is_there}

    return [replace(message, attachments=[shown(item) for item in message.attachments]) for message in messages]


class ContextSources:
    """Use cases for the context sources of a conversation."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, current_user: CurrentUser, conversation_id: UUID) -> list[SourceRef]:
        """Return the context sources of one of the user's conversations."""
        require_scope(current_user, Scope.READ)
        async with self._database.begin(current_user.user_id) as session:
            return await rows.for_conversation(session, current_user.user_id, conversation_id)

    async def attach(self, current_user: CurrentUser, conversation_id: UUID, found: UUID) -> None:
        """Attach a collection or document to a conversation.

        Raises:
            NotFound: when the conversation does not exist or is another user's.
            InvalidInput: when the source was deleted, or the user may not read it.
        """
        require_scope(current_user, Scope.CHAT)
        async with self._database.begin(current_user.user_id) as session:
            begun = await self._locked(session, current_user, conversation_id)
            known = await rows.for_conversation(session, current_user.user_id, conversation_id)
            events = await events_of(session, current_user, Attached((found,)), known)
            if events:
                await begun.append(*events)

    async def detach(self, current_user: CurrentUser, conversation_id: UUID, found: UUID) -> None:
        """Remove a context source; existing answers keep their sources.

        Raises:
            NotFound: when the conversation does not exist or is another user's.
            Conflict: when it is not attached.
        """
        require_scope(current_user, Scope.CHAT)
        async with self._database.begin(current_user.user_id) as session:
            begun = await self._locked(session, current_user, conversation_id)
            if found not in {
                item.id for item in await rows.for_conversation(session, current_user.user_id, conversation_id)
            }:
                raise Conflict("This is no longer attached.")
            await begun.append(ContextSourceDetached(source_id=found))

    async def _locked(self, session: AsyncSession, current_user: CurrentUser, conversation_id: UUID) -> EventAppender:
        seq = await turn_queries.lock(session, current_user.user_id, conversation_id)
        if seq is None or await conversation_rows.get_owned(session, current_user.user_id, conversation_id) is None:
            raise NotFound
        return EventAppender(session, current_user.user_id, conversation_id, seq)
