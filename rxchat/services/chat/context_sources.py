"""What a conversation's answers are grounded in: attached, taken out, and shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.db.chat import conversation_sources as rows
from rxchat.db.chat import conversations as conversation_rows
from rxchat.db.chat import turn_queries
from rxchat.db.chat.conversation_sources import SourceRef
from rxchat.db.documents import documents as document_rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.conversations import ContextSourceAttached, ContextSourceDetached
from rxchat.domain.documents import DocumentState
from rxchat.domain.errors import Conflict, InvalidInput, NotFound
from rxchat.domain.permissions import Scope, require_scope
from rxchat.services.chat.event_appender import EventAppender

MOST_ATTACHED = 50
_MOST_NAMED = 10
"""So many files are named in the place of a message without text."""
_GONE = "What you attached is not there any more, or you may not read it: take it out and send again."


@dataclass(frozen=True, slots=True)
class Attached:
    """What comes along with a question."""

    ids: tuple[UUID, ...] = ()
    """Collections and documents."""
    draft_key: UUID | None = None
    """Under which files were uploaded for this very message."""


async def events_of(
    session: AsyncSession, current_user: CurrentUser, attached: Attached, known: Sequence[SourceRef] = ()
) -> list[ContextSourceAttached]:
    """Return what attaching adds to a conversation that knows something already.

    Raises:
        InvalidInput: when something is gone, or may not be read.
    """
    if attached != Attached():
        require_scope(current_user, Scope.FILES)
    have = {item.id for item in known}
    events = [await _named(session, found) for found in dict.fromkeys(attached.ids) if found not in have]
    if attached.draft_key is not None:
        collection_id = await document_rows.find_attachments(session, current_user.user_id, attached.draft_key)
        found = await document_rows.documents(session, collection_id) if collection_id else []
        # An upload that broke off is not part of what is asked about.
        held = [item for item in found if item.state is not DocumentState.UPLOADING]
        if not held and collection_id not in have:
            raise InvalidInput(_GONE)
        if collection_id is not None and collection_id not in have:
            name = held[0].name if len(held) == 1 else f"{len(held)} files"
            events.append(ContextSourceAttached(knowledge_id=collection_id, kind="attachments", name=name))
    if len(have) + len(events) > MOST_ATTACHED:
        raise InvalidInput(f"At most {MOST_ATTACHED} collections and files can be attached to a conversation.")
    return events


async def _named(session: AsyncSession, found: UUID) -> ContextSourceAttached:
    collection = await document_rows.collection(session, found)
    if collection is not None:
        return ContextSourceAttached(knowledge_id=found, kind="collection", name=collection.name)
    document = await document_rows.document(session, found)
    if document is None:
        raise InvalidInput(_GONE)
    return ContextSourceAttached(knowledge_id=found, kind="document", name=document.name)


async def names_of(session: AsyncSession, current_user: CurrentUser, attached: Attached) -> str:
    """Return what is said in the place of a message that has files and no text: which files those are."""
    names = list[str]()
    if attached.draft_key is not None:
        collection_id = await document_rows.find_attachments(session, current_user.user_id, attached.draft_key)
        found = await document_rows.documents(session, collection_id) if collection_id else []
        # In the order in which they were attached; what is in a mail is named by the mail.
        own = [item for item in found if item.parent_id is None and item.state is not DocumentState.UPLOADING]
        names += [item.name for item in reversed(own)]
    names += [(await _named(session, found)).name for found in dict.fromkeys(attached.ids)]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"Attached: {', '.join(names[:_MOST_NAMED])}{more}"


class ContextSources:
    """The use cases around a conversation's knowledge."""

    def __init__(self, database: Database) -> None:
        """Know where truth lives."""
        self._database = database

    async def of(self, current_user: CurrentUser, conversation_id: UUID) -> list[SourceRef]:
        """Return what a conversation of the person's own is grounded in."""
        require_scope(current_user, Scope.READ)
        async with self._database.begin(current_user.user_id) as session:
            return await rows.for_conversation(session, current_user.user_id, conversation_id)

    async def attach(self, current_user: CurrentUser, conversation_id: UUID, found: UUID) -> None:
        """Ground the conversation's next answers in a collection or a document.

        Raises:
            NotFound: when the conversation is unknown or someone else's.
            InvalidInput: when what is to be attached is gone, or may not be read.
        """
        require_scope(current_user, Scope.CHAT)
        async with self._database.begin(current_user.user_id) as session:
            begun = await self._locked(session, current_user, conversation_id)
            known = await rows.for_conversation(session, current_user.user_id, conversation_id)
            events = await events_of(session, current_user, Attached((found,)), known)
            if events:
                await begun.append(*events)

    async def detach(self, current_user: CurrentUser, conversation_id: UUID, found: UUID) -> None:
        """Take it out again; answers that are there keep their sources.

        Raises:
            NotFound: when the conversation is unknown or someone else's.
            Conflict: when it is not attached (any more).
        """
        require_scope(current_user, Scope.CHAT)
        async with self._database.begin(current_user.user_id) as session:
            begun = await self._locked(session, current_user, conversation_id)
            if found not in {
                item.id for item in await rows.for_conversation(session, current_user.user_id, conversation_id)
            }:
                raise Conflict("This is not attached any more.")
            await begun.append(ContextSourceDetached(knowledge_id=found))

    async def _locked(self, session: AsyncSession, current_user: CurrentUser, conversation_id: UUID) -> EventAppender:
        seq = await turn_queries.lock(session, current_user.user_id, conversation_id)
        if seq is None or await conversation_rows.get_owned(session, current_user.user_id, conversation_id) is None:
            raise NotFound
        return EventAppender(session, current_user.user_id, conversation_id, seq)
