"""Reads and changes the facts of a conversation for programs, which name the version that they have read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.db.chat import conversation_lists as list_rows
from rxchat.db.chat import conversations as rows
from rxchat.db.chat import runs as run_rows
from rxchat.db.chat import turn_queries
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.api_errors import VersionMismatch
from rxchat.domain.authorization import require_scope, sees_details
from rxchat.domain.conversation_events import (
    ConversationArchived,
    ConversationEvent,
    ConversationPinned,
    ConversationRenamed,
)
from rxchat.domain.conversations import ConversationList
from rxchat.domain.errors import InvalidInput, NotFound
from rxchat.domain.exports.conversation import StoredEvent
from rxchat.domain.permissions import Scope
from rxchat.domain.runs import ActiveRun
from rxchat.domain.text import clean_title
from rxchat.services.chat.conversations import MOST_PINNED, readable_conversation
from rxchat.tables import Conversation


@dataclass(frozen=True, slots=True)
class ConversationFacts:
    """A conversation without its messages."""

    id: UUID
    title: str
    model: str
    seq: int
    """The seq of its last event, which is its version."""
    leaf_id: UUID | None
    """The last message of the branch that is shown."""
    created_at: datetime
    updated_at: datetime
    is_pinned: bool
    is_archived: bool
    is_own: bool
    """False for one that another user shares."""
    run: ActiveRun | None
    """The answer in progress, which the owner can follow."""


class ConversationChanges:
    """Use cases for programs that edit a conversation."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def facts(self, current_user: CurrentUser, conversation_id: UUID) -> ConversationFacts:
        """Return a conversation that the user may read.

        Raises:
            NotFound: when it does not exist or was deleted, or the user may not read it.
        """
        require_scope(current_user, Scope.READ)
        async with self._database.begin(current_user.user_id, snapshot=True) as session:
            conversation = await readable_conversation(session, current_user, conversation_id)
            return await _facts(session, current_user, conversation)

    async def events(
        self, current_user: CurrentUser, conversation_id: UUID, after_seq: int, limit: int
    ) -> list[StoredEvent]:
        """Return the events of one of the user's own conversations after a seq, in order.

        Raises:
            NotFound: when it does not exist, was deleted, or is another user's: its other branches are not for readers.
        """
        require_scope(current_user, Scope.READ)
        async with self._database.begin(current_user.user_id, snapshot=True) as session:
            if await rows.get_owned(session, current_user.user_id, conversation_id) is None:
                raise NotFound
            found = await rows.stored_events(
                session, current_user.user_id, conversation_id, after_seq=after_seq, limit=limit
            )
        hidden = set() if sees_details(current_user) else {"error_detail"}
        return [
            replace(item, data={name: item.data[name] for name in item.data if name not in hidden}) for item in found
        ]

    async def change(
        self,
        current_user: CurrentUser,
        conversation_id: UUID,
        *,
        title: str | None = None,
        is_pinned: bool | None = None,
        is_archived: bool | None = None,
        expected_seq: int | None = None,
    ) -> ConversationFacts:
        """Rename, pin or archive a conversation in one transaction; None leaves a field unchanged.

        Raises:
            InvalidInput: when the title is blank, or too many conversations are pinned.
            NotFound: when it does not exist or is another user's.
            VersionMismatch: when its last event is not `expected_seq`.
        """
        require_scope(current_user, Scope.CHAT)
        events: list[ConversationEvent] = []
        if title is not None:
            if not (title := clean_title(title)):
                raise InvalidInput("Enter a title.", field="title")
            events.append(ConversationRenamed(title=title))
        if is_pinned is not None:
            events.append(ConversationPinned(is_pinned=is_pinned))
        if is_archived is not None:
            events.append(ConversationArchived(is_archived=is_archived))
        async with self._database.begin(current_user.user_id) as session:
            locked = await turn_queries.lock(session, current_user.user_id, conversation_id)
            conversation = await rows.get_owned(session, current_user.user_id, conversation_id)
            if locked is None or conversation is None:
                raise NotFound
            if expected_seq not in {None, locked.seq}:
                raise VersionMismatch
            if is_pinned and conversation.pinned_at is None:
                await _require_room(session, current_user.user_id)
            if events:
                await rows.append_events(session, current_user.user_id, conversation_id, locked.seq, events)
                await session.refresh(conversation)
            return await _facts(session, current_user, conversation)


async def _require_room(session: AsyncSession, owner_id: UUID) -> None:
    pinned = await list_rows.list_owned(session, owner_id, ConversationList.PINNED, limit=MOST_PINNED)
    if len(pinned) >= MOST_PINNED:
        raise InvalidInput(f"{MOST_PINNED} conversations are pinned. Unpin one first.", field="is_pinned")


async def _facts(session: AsyncSession, current_user: CurrentUser, found: Conversation) -> ConversationFacts:
    is_own = found.owner_id == current_user.user_id
    return ConversationFacts(
        id=found.id,
        title=found.title,
        model=found.model,
        seq=found.seq,
        leaf_id=None if found.leaf_id == found.id else found.leaf_id,
        created_at=found.created_at,
        updated_at=found.updated_at,
        is_pinned=found.pinned_at is not None,
        is_archived=found.archived_at is not None,
        is_own=is_own,
        run=await run_rows.active_run(session, found.owner_id, found.id) if is_own else None,
    )
