"""Use cases for conversations as a whole: list, open, rename, delete, restore."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.db.access import roles as role_rows
from rxchat.db.chat import conversation_lists as list_rows
from rxchat.db.chat import conversation_sources as source_rows
from rxchat.db.chat import conversation_updates as news_rows
from rxchat.db.chat import conversations as rows
from rxchat.db.chat import messages as message_rows
from rxchat.db.chat import queued_messages as queue_rows
from rxchat.db.chat import runs as run_rows
from rxchat.db.chat import turn_queries
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.assistants import AssistantMark
from rxchat.domain.authorization import is_allowed, require_scope
from rxchat.domain.conversation_events import (
    ConversationArchived,
    ConversationEvent,
    ConversationPinned,
    ConversationRemoved,
    ConversationRenamed,
    ConversationRestored,
)
from rxchat.domain.conversations import ConversationList, ConversationSummary, History, ListPosition
from rxchat.domain.errors import InvalidInput, NotFound
from rxchat.domain.messages import QueuedMessage, ThreadMessage
from rxchat.domain.model_parameters import Configuration
from rxchat.domain.permissions import Action, Grant, Resource, ResourceKind, Scope
from rxchat.domain.retrieval import ShownSource
from rxchat.domain.runs import ActiveRun
from rxchat.domain.text import clean_title
from rxchat.services.chat.context_sources import with_readable_attachments
from rxchat.services.chat.conversation_assistants import assistant_mark
from rxchat.services.chat.messages import stop_answer
from rxchat.services.chat.reader_views import event_for_readers, updates_for_readers
from rxchat.tables import Conversation

PAGE_MESSAGES = 12
MOST_MESSAGES = 200
"""How many messages a page has at most when it shows an earlier one."""
_SHOWN_BEFORE = 4
PAGE_CONVERSATIONS = 100
"""How many conversations a page of the list has."""
MOST_PINNED = 50


@dataclass(frozen=True, slots=True)
class ThreadPage:
    """The last messages of a conversation (or earlier ones), and the run in progress."""

    conversation_id: UUID
    title: str
    model: str
    messages: tuple[ThreadMessage, ...]
    has_older: bool
    run: ActiveRun | None
    seq: int = 0
    """The seq of the last event that this page shows."""
    leaf_id: UUID | None = None
    """The last message of the branch that is shown; the conversation's ID if it shows none."""
    is_own: bool = True
    """False for one that another user shares."""
    configuration: Configuration = field(default_factory=Configuration)
    """What is set for it; empty for its readers."""
    assistant: AssistantMark | None = None
    """Its assistant, which readers do not see."""
    unread_seq: int = 0
    """The seq of the event that ended the last answer, if the user has not seen it; otherwise 0."""

    @classmethod
    def of_new(cls, conversation_id: UUID, begun: History) -> ThreadPage:
        """Return the page of a conversation that has just begun, without reading it."""
        now = datetime.now(UTC)
        messages = tuple(replace(message, created_at=now) for message in begun.messages.values())
        return cls(
            conversation_id,
            begun.title,
            begun.model,
            messages,
            has_older=False,
            run=None,
            seq=begun.seq,
            leaf_id=begun.leaf_id,
            configuration=Configuration(begun.system_prompt, begun.parameters),
            assistant=AssistantMark.of_new(begun.assistant),
        )


@dataclass(frozen=True, slots=True)
class ConversationUpdates:
    """The new events of a conversation, its run in progress, and its queued messages."""

    events: list[tuple[int, ConversationEvent]]
    run: ActiveRun | None
    place: int
    """The run's position in the queue, from 1; 0 if it is not queued."""
    waiting: tuple[QueuedMessage, ...]


class Conversations:
    """Use cases for conversations as a whole."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self,
        current_user: CurrentUser,
        of: ConversationList = ConversationList.CURRENT,
        *,
        after: ListPosition | None = None,
        limit: int = PAGE_CONVERSATIONS,
        tag_id: UUID | None = None,
        project_ids: Sequence[UUID] | None = None,
    ) -> list[ConversationSummary]:
        """Return a page of one of the user's lists, newest first; the page after a position, if one is given.

        With a tag or projects, only the conversations that have it, and are in one of them.
        """
        require_scope(current_user, Scope.READ)
        owner_id = current_user.user_id
        async with self._database.begin(owner_id) as session:
            return await list_rows.list_owned(
                session, owner_id, of, limit=limit, after=after, tag_id=tag_id, project_ids=project_ids
            )

    async def open(
        self,
        current_user: CurrentUser,
        conversation_id: UUID,
        *,
        before: UUID | None = None,
        after: UUID | None = None,
        down_to: UUID | None = None,
        limit: int = PAGE_MESSAGES,
    ) -> ThreadPage:
        """Return the last messages of the branch that a conversation shows, or those before a message.

        With `after` only those that follow this message, as far as they are among the last ones. With `down_to` so many that
        this message is among them, if it is on the branch and not more than `MOST_MESSAGES` from its end.

        Raises:
            NotFound: when the conversation or message does not exist or is another user's.
        """
        async with self._database.begin(current_user.user_id, snapshot=True) as session:
            conversation = await readable_conversation(session, current_user, conversation_id)
            owner_id = conversation.owner_id
            last = conversation.leaf_id
            if before is not None:
                marker = await _readable_message(session, current_user, conversation, before)
                if marker.parent_id is None:
                    raise NotFound
                last = marker.parent_id
            if down_to is not None:
                path = list(await message_rows.path_to(session, owner_id, conversation_id, last))
                place = path.index(down_to) if down_to in path else 0
                limit = max(limit, place + _SHOWN_BEFORE) if place < MOST_MESSAGES else limit
            found = await message_rows.latest_messages(
                session, owner_id, conversation_id, last, limit=limit, after=after
            )
            is_own = owner_id == current_user.user_id
            messages = await with_readable_attachments(session, found, is_own=is_own)
            run = await run_rows.active_run(session, owner_id, conversation_id)
            assistant = await assistant_mark(session, current_user, conversation.assistant) if is_own else None
            unread_seq = await list_rows.unread_seq(session, current_user.user_id, conversation)
        return ThreadPage(
            conversation.id,
            conversation.title,
            conversation.model,
            tuple(messages),
            has_older=bool(found) and found[0].parent_id != conversation.id,
            run=run,
            seq=conversation.seq,
            leaf_id=conversation.leaf_id,
            is_own=is_own,
            configuration=configuration_of(conversation) if is_own else Configuration(),
            assistant=assistant,
            unread_seq=unread_seq,
        )

    async def news(self, current_user: CurrentUser, conversation_id: UUID, after_seq: int) -> ConversationUpdates:
        """Return the events of a conversation after a seq, with its current run and, for its owner, its queue.

        Raises:
            NotFound: when the conversation does not exist, was deleted or is another user's.
        """
        require_scope(current_user, Scope.READ)
        read = self._database.reading(current_user.user_id)
        found = await news_rows.after(read, current_user.user_id, conversation_id, after_seq)
        if found is None:
            # Not the user's own: shared with them, or unknown.
            owner_id = await self.owner_of(current_user, conversation_id)
            found = await news_rows.after(read, owner_id, conversation_id, after_seq)
            found = found and updates_for_readers(found)
        if found is None:
            raise NotFound
        run = found.run
        place = await run_rows.queue_position(read, run.id) if run is not None and run.is_waiting else 0
        return ConversationUpdates(found.events, run, place, found.waiting)

    async def message(self, current_user: CurrentUser, conversation_id: UUID, message_id: UUID) -> ThreadMessage:
        """Return one message.

        Raises:
            NotFound: when it is unknown or another user's.
        """
        async with self._database.begin(current_user.user_id) as session:
            conversation = await readable_conversation(session, current_user, conversation_id)
            message = await _readable_message(session, current_user, conversation, message_id)
            is_own = conversation.owner_id == current_user.user_id
            return (await with_readable_attachments(session, [message], is_own=is_own))[0]

    async def citations(
        self, current_user: CurrentUser, conversation_id: UUID, message_id: UUID
    ) -> tuple[list[dict[str, Any]], list[ShownSource]]:
        """Return the citations of an answer, and its sources as far as the user may see them now.

        Raises:
            NotFound: when it is unknown, or the user may not read it.
            NotAllowed: when the API key lacks the scope.
        """
        require_scope(current_user, Scope.FILES)
        async with self._database.begin(current_user.user_id, snapshot=True) as session:
            conversation = await readable_conversation(session, current_user, conversation_id)
            owner_id = conversation.owner_id
            message = await _readable_message(session, current_user, conversation, message_id)
            sources = await source_rows.shown_sources(
                session, current_user.user_id, owner_id, conversation_id, message_id
            )
        return message.citations, sources

    async def queued_text(self, current_user: CurrentUser, conversation_id: UUID, message_id: UUID) -> str:
        """Return the whole text of one of the user's queued messages.

        Raises:
            NotFound: when it is not queued, or is another user's.
        """
        require_scope(current_user, Scope.READ)
        async with self._database.begin(current_user.user_id) as session:
            text = await queue_rows.text_of(session, current_user.user_id, conversation_id, message_id)
        if text is None:
            raise NotFound("This message is no longer queued: it was sent, or removed in another tab.")
        return text

    async def owner_of(self, current_user: CurrentUser, conversation_id: UUID) -> UUID:
        """Return the owner of a conversation that the user may read.

        Raises:
            NotFound: when it does not exist, or the user may not read it.
        """
        async with self._database.begin(current_user.user_id) as session:
            return (await readable_conversation(session, current_user, conversation_id)).owner_id

    async def history(self, current_user: CurrentUser, conversation_id: UUID) -> History:
        """Return the conversation replayed from its events.

        Raises:
            NotFound: when it does not exist or is another user's.
        """
        async with self._database.begin(current_user.user_id) as session:
            owner_id = (await readable_conversation(session, current_user, conversation_id)).owner_id
            events = await rows.events_after(session, owner_id, conversation_id)
        if not events:
            raise NotFound
        if owner_id != current_user.user_id:
            events = [(seq, event_for_readers(event)) for seq, event in events]
        return History.replayed(events)

    async def rename(self, current_user: CurrentUser, conversation_id: UUID, title: str) -> str:
        """Rename a conversation, and return the title as stored.

        Raises:
            InvalidInput: when the title is blank.
            NotFound: when the conversation does not exist or is another user's.
        """
        title = clean_title(title)
        if not title:
            raise InvalidInput("Enter a title.")
        await self._append(current_user, conversation_id, ConversationRenamed(title=title))
        return title

    async def pin(self, current_user: CurrentUser, conversation_id: UUID, *, is_pinned: bool) -> None:
        """Pin a conversation to the top of the list, or unpin it.

        Raises:
            InvalidInput: when too many are pinned.
            NotFound: when it does not exist or is another user's.
        """
        pinned = await self.page(current_user, ConversationList.PINNED, limit=MOST_PINNED) if is_pinned else []
        if len(pinned) >= MOST_PINNED and conversation_id not in {item.id for item in pinned}:
            raise InvalidInput(f"{MOST_PINNED} conversations are pinned. Unpin one first.")
        await self._append(current_user, conversation_id, ConversationPinned(is_pinned=is_pinned))

    async def archive(self, current_user: CurrentUser, conversation_id: UUID, *, is_archived: bool) -> None:
        """Move a conversation to the archive, or back to the list.

        Raises:
            NotFound: when it does not exist or is another user's.
        """
        await self._append(current_user, conversation_id, ConversationArchived(is_archived=is_archived))

    async def remove(self, current_user: CurrentUser, conversation_id: UUID) -> None:
        """Delete a conversation so that it can be restored; stop its answer in progress.

        Raises:
            NotFound: when it does not exist or is another user's.
        """
        require_scope(current_user, Scope.CHAT)
        # First, so that stopping the answer does not send queued messages.
        await self._append(current_user, conversation_id, ConversationRemoved())
        async with self._database.begin(current_user.user_id) as session:
            await stop_answer(session, current_user.user_id, conversation_id)

    async def restore(self, current_user: CurrentUser, conversation_id: UUID) -> None:
        """Restore a deleted conversation.

        Raises:
            NotFound: when it does not exist or is another user's.
        """
        await self._append(current_user, conversation_id, ConversationRestored(), removed_too=True)

    async def _append(
        self, current_user: CurrentUser, conversation_id: UUID, event: ConversationEvent, *, removed_too: bool = False
    ) -> None:
        require_scope(current_user, Scope.CHAT)
        async with self._database.begin(current_user.user_id) as session:
            locked = await turn_queries.lock(session, current_user.user_id, conversation_id)
            visible = removed_too or await rows.get_owned(session, current_user.user_id, conversation_id) is not None
            if locked is None or not visible:
                raise NotFound
            await rows.append_events(session, current_user.user_id, conversation_id, locked.seq, [event])


def configuration_of(conversation: Conversation) -> Configuration:
    """Return what is set for a conversation."""
    return Configuration(conversation.system_prompt, conversation.parameters)


async def _readable_message(
    session: AsyncSession, current_user: CurrentUser, conversation: Conversation, message_id: UUID
) -> ThreadMessage:
    """Return a message of a conversation that the user may read: of another user's, only one that is shown."""
    owner_id = conversation.owner_id
    message = await message_rows.get_message(session, owner_id, conversation.id, message_id)
    if message is not None and owner_id != current_user.user_id:
        shown = await message_rows.path_to(session, owner_id, conversation.id, conversation.leaf_id)
        message = message if message_id in shown else None
    if message is None:
        raise NotFound
    return message


async def readable_conversation(
    session: AsyncSession, current_user: CurrentUser, conversation_id: UUID
) -> Conversation:
    """Return a conversation that the user may read: their own, or one shared with them.

    Raises:
        NotFound: when it does not exist or was deleted, or the user may not read it.
    """
    conversation = await rows.get_owned(session, current_user.user_id, conversation_id)
    grants: list[Grant] = []
    if conversation is None:
        conversation = await rows.get_granted(session, conversation_id)
        grants = await role_rows.grants_on(session, ResourceKind.CONVERSATION, [str(conversation_id)])
    if conversation is None:
        raise NotFound
    resource = Resource(ResourceKind.CONVERSATION, str(conversation_id), conversation.owner_id)
    if not is_allowed(current_user, Action.READ, resource, grants):
        raise NotFound
    return conversation
