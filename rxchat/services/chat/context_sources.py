"""Context sources of a conversation: attaching, removing and listing them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.db.chat import conversation_sources as rows
from rxchat.db.documents import documents as document_rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import require_scope
from rxchat.domain.conversation_events import ContextKind, ContextSourceAttached, ContextSourceDetached
from rxchat.domain.conversations import SourceRef
from rxchat.domain.documents import DocumentState
from rxchat.domain.errors import Conflict, InvalidInput
from rxchat.domain.files import Document
from rxchat.domain.grounding import warnings_for_readers
from rxchat.domain.messages import ThreadMessage
from rxchat.domain.permissions import Scope
from rxchat.domain.text import attachments_text
from rxchat.services.chat.event_appender import opened

MOST_ATTACHED = 50
_GONE = "Something you attached no longer exists, or you have no access to it. Remove it and send again."


@dataclass(frozen=True, slots=True)
class Attached:
    """The attachments of a message."""

    ids: tuple[UUID, ...] = ()
    """Collections and documents."""
    draft_key: UUID | None = None
    """The key under which the page uploaded files for this message."""


@dataclass(frozen=True, slots=True)
class AttachedSources:
    """What the attachments of a message refer to."""

    picked: tuple[SourceRef, ...] = ()
    """The collections and documents that were picked."""
    uploads_id: UUID | None = None
    """The collection of the files that were uploaded for the message."""
    uploads: tuple[Document, ...] = ()
    """These files, the first one first; an interrupted upload is not part of the message."""

    def events(self, known: Sequence[SourceRef] = ()) -> list[ContextSourceAttached]:
        """Return the events that attach new sources to a conversation, given the existing ones.

        Raises:
            InvalidInput: when the files were deleted, or the conversation would have too many sources.
        """
        have = {item.id for item in known}
        events = [
            ContextSourceAttached(source_id=item.id, kind=item.kind, name=item.name)
            for item in self.picked
            if item.id not in have
        ]
        if self.uploads_id is not None and self.uploads_id not in have:
            if not self.uploads:
                raise InvalidInput(_GONE)
            name = self.uploads[-1].name if len(self.uploads) == 1 else f"{len(self.uploads)} files"
            events.append(ContextSourceAttached(source_id=self.uploads_id, kind=ContextKind.ATTACHMENTS, name=name))
        if len(have) + len(events) > MOST_ATTACHED:
            raise InvalidInput(f"At most {MOST_ATTACHED} collections and files can be attached to a conversation.")
        return events

    def attachments(self) -> list[dict[str, Any]]:
        """Return what is stored with the message: `id`, `kind` and `name`. Files in an e-mail are named by the e-mail."""
        files = [SourceRef(item.id, ContextKind.DOCUMENT, item.name) for item in self.uploads if item.parent_id is None]
        return [{"id": str(item.id), "kind": item.kind.value, "name": item.name} for item in (*files, *self.picked)]


async def attached_sources(session: AsyncSession, current_user: CurrentUser, attached: Attached) -> AttachedSources:
    """Look up the attachments of a message.

    Raises:
        InvalidInput: when one was deleted, or the user may not read it.
        NotAllowed: when there are some, and the API key lacks the scope.
    """
    if attached == Attached():
        return AttachedSources()
    require_scope(current_user, Scope.FILES)
    readable = await rows.readable(session, attached.ids, with_uploads=True)
    if len(readable) < len(set(attached.ids)):
        raise InvalidInput(_GONE)
    picked = tuple(readable[found] for found in dict.fromkeys(attached.ids))
    if attached.draft_key is None:
        return AttachedSources(picked)
    uploads_id = await document_rows.find_attachments(session, current_user.user_id, attached.draft_key)
    if uploads_id is None:
        raise InvalidInput(_GONE)
    found = await document_rows.documents(session, uploads_id)
    uploads = tuple(item for item in reversed(found) if item.state is not DocumentState.UPLOADING)
    return AttachedSources(picked, uploads_id, uploads)


async def are_collections(session: AsyncSession, current_user: CurrentUser, ids: Sequence[UUID]) -> bool:
    """Return whether all of these are collections that the user may have searched: by a project, by an assistant.

    Raises:
        NotAllowed: when there are some, and the API key lacks the scope.
    """
    if not ids:
        return True
    require_scope(current_user, Scope.FILES)
    found = await rows.readable(session, ids)
    return all(found_id in found and found[found_id].kind is ContextKind.COLLECTION for found_id in ids)


async def with_readable_attachments(
    session: AsyncSession, messages: Sequence[ThreadMessage], *, is_own: bool
) -> list[ThreadMessage]:
    """Return messages whose attachments say in `is_there` whether the acting user can open them now.

    Other users' messages do not show the names of attachments that the user cannot open: neither as attachments, nor as
    the text of a message that has no other, nor in the warnings of an answer.
    """
    readable = await rows.readable(session, [UUID(item["id"]) for message in messages for item in message.attachments])

    def shown(item: dict[str, Any]) -> dict[str, Any]:
        is_there = UUID(item["id"]) in readable
        return {**item, "name": item["name"] if is_there or is_own else "", "is_there": is_there}

    def view(message: ThreadMessage) -> ThreadMessage:
        attachments = [shown(item) for item in message.attachments]
        is_hidden = not is_own and not all(item["is_there"] for item in attachments)
        has_names = message.text == attachments_text([item["name"] for item in message.attachments])
        text = "" if is_hidden and has_names else message.text
        warnings = message.warnings if is_own else warnings_for_readers(message.warnings)
        message = message if is_own else replace(message, feedback={}, parameters={})
        return replace(message, text=text, attachments=attachments, warnings=warnings)

    return [view(message) for message in messages]


class ContextSources:
    """Use cases for the context sources of a conversation."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, current_user: CurrentUser, conversation_id: UUID) -> list[SourceRef]:
        """Return the context sources of one of the user's conversations."""
        require_scope(current_user, Scope.READ)
        async with self._database.begin(current_user.user_id) as session:
            return await rows.for_conversation(session, current_user.user_id, conversation_id)

    async def being_read(self, current_user: CurrentUser, conversation_id: UUID) -> Sequence[str]:
        """Return the names of attached files that an answer waits for, since they are still being ingested."""
        require_scope(current_user, Scope.READ)
        async with self._database.begin(current_user.user_id) as session:
            known = await rows.for_conversation(session, current_user.user_id, conversation_id)
            files = [item.id for item in known if item.kind is not ContextKind.COLLECTION]
            found = await rows.unavailable_documents(session, files)
            return found.being_read

    async def attach(self, current_user: CurrentUser, conversation_id: UUID, found: UUID) -> None:
        """Attach a collection or document to a conversation.

        Raises:
            NotFound: when the conversation does not exist or is another user's.
            InvalidInput: when the source was deleted, or the user may not read it.
        """
        require_scope(current_user, Scope.CHAT)
        async with self._database.begin(current_user.user_id) as session:
            begun = await opened(session, current_user, conversation_id)
            known = await rows.for_conversation(session, current_user.user_id, conversation_id)
            require_scope(current_user, Scope.FILES)
            if found not in {item.id for item in known}:
                await begun.append(*(await attached_sources(session, current_user, Attached((found,)))).events(known))

    async def detach(self, current_user: CurrentUser, conversation_id: UUID, found: UUID) -> None:
        """Remove a context source; existing answers keep their sources.

        Raises:
            NotFound: when the conversation does not exist or is another user's.
            Conflict: when it is not attached.
        """
        require_scope(current_user, Scope.CHAT)
        async with self._database.begin(current_user.user_id) as session:
            begun = await opened(session, current_user, conversation_id)
            if found not in {
                item.id for item in await rows.for_conversation(session, current_user.user_id, conversation_id)
            }:
                raise Conflict("This is no longer attached.")
            await begun.append(ContextSourceDetached(source_id=found))
