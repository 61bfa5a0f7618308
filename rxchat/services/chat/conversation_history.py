"""Time travel: a conversation as it was after any of its events, and the ways back to it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from itertools import takewhile
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.db.chat import conversation_sources as source_rows
from rxchat.db.chat import conversations as rows
from rxchat.db.chat import queued_messages as queue_rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import require, require_scope
from rxchat.domain.conversation_events import (
    AssistantChosen,
    BranchChosen,
    ContextSourceAttached,
    ContextSourceDetached,
    ConversationConfigured,
    ConversationEvent,
    ConversationRenamed,
    MessageRestored,
    ModelChosen,
    event_from,
)
from rxchat.domain.conversations import History, SourceRef
from rxchat.domain.errors import Conflict, NotFound
from rxchat.domain.exports.conversation import StoredEvent
from rxchat.domain.ids import new_id
from rxchat.domain.messages import MessageContent, MessageState, ThreadMessage
from rxchat.domain.model_parameters import Configuration
from rxchat.domain.permissions import Permission, Scope
from rxchat.services.chat.context_sources import with_readable_attachments
from rxchat.services.chat.event_appender import idle
from rxchat.services.chat.forks import add_fork, copy_of, require_forkable

_BUSY = "An answer is still being written in this conversation. Wait for it, or stop it first."
_QUEUED = "Messages are queued in this conversation. Send or remove them first."
_CONTENT = (*(item.name for item in fields(MessageContent)), "state", "attachments", "model")


@dataclass(frozen=True, slots=True)
class PastConversation:
    """A conversation after one of its events."""

    history: History
    event: ConversationEvent
    """The event that happened last."""
    at: datetime
    """When it happened."""
    branch: list[ThreadMessage]
    """The messages that were shown, with their times."""
    latest: History
    """The conversation now."""


class ConversationHistory:
    """Shows users their conversations as they were, and returns to that. Nothing is removed: returning is an event, too."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def at(self, current_user: CurrentUser, conversation_id: UUID, seq: int | None = None) -> PastConversation:
        """Return a conversation as it was after the event with this seq, by default the last one.

        A seq that is too low or too high stands for the first or the last event. The attachments of the messages say
        whether they can be opened now.

        Raises:
            NotFound: when the user owns no such conversation.
            NotAllowed: when the API key lacks the scope.
        """
        require_scope(current_user, Scope.READ)
        async with self._database.begin(current_user.user_id, snapshot=True) as session:
            past = await _past(session, current_user.user_id, conversation_id, seq)
            branch = await with_readable_attachments(session, past.branch, is_own=True)
        return replace(past, branch=branch)

    async def restore(self, current_user: CurrentUser, conversation_id: UUID, seq: int) -> int:
        """Show again what was shown after the event with this seq; return the seq before, by which that can be undone.

        The title, the model and the context sources return, too, without sources that the user may no longer read. Messages
        that were deleted meanwhile are restored. An answer that was continued or written again meanwhile is copied as it was,
        with what followed it; one that was being written at that time is left out.

        Raises:
            NotFound: when the user owns no such conversation.
            Conflict: when an answer is in progress, messages are queued, or the conversation is as it was then.
            InvalidInput: when more than 2,000 messages would have to be copied.
            NotAllowed: when the API key lacks the scope.
        """
        require_scope(current_user, Scope.CHAT)
        owner_id = current_user.user_id
        async with self._database.begin(owner_id) as session:
            begun = await idle(session, current_user, conversation_id, _BUSY)
            if await queue_rows.for_conversation(session, owner_id, conversation_id):
                raise Conflict(_QUEUED)
            latest_seq = begun.seq
            past = await _past(session, owner_id, conversation_id, seq)
            events, copies = _branch_events(past, conversation_id)
            events = [*events, *await _other_events(session, past)]
            if not events:
                raise Conflict("The conversation is as it was then.")
            await begun.append(*events)
            await source_rows.copy_sources(session, owner_id, conversation_id, copies)
        return latest_seq

    async def fork(self, current_user: CurrentUser, conversation_id: UUID, seq: int) -> UUID:
        """Copy what was shown after the event with this seq into a new conversation, and return its ID.

        An answer that was being written at that time is left out.

        Raises:
            NotFound: when the user owns no such conversation.
            InvalidInput: when it would have more than 2,000 messages.
            NotAllowed: when the user may not create conversations.
        """
        require_scope(current_user, Scope.CHAT)
        require(current_user, Permission.CONVERSATIONS_CREATE)
        owner_id, fork_id = current_user.user_id, new_id()
        async with self._database.begin(owner_id, snapshot=True) as session:
            past = await _past(session, owner_id, conversation_id, seq)
            messages = _finished(past.branch)
            require_forkable(messages)
            known = await _still_readable(session, past.history)
            then = past.history
            said = Configuration(then.system_prompt, then.parameters)
            await add_fork(session, owner_id, fork_id, then.title, then.model, messages, known, said, then.assistant)
        return fork_id


async def _past(session: AsyncSession, owner_id: UUID, conversation_id: UUID, seq: int | None) -> PastConversation:
    """Return one of the user's conversations after an event."""
    if await rows.get_owned(session, owner_id, conversation_id) is None:
        raise NotFound
    stored = await rows.stored_events(session, owner_id, conversation_id)
    if not stored:
        raise NotFound
    # A long conversation takes a while.
    return await asyncio.to_thread(_replayed, stored, stored[-1].seq if seq is None else seq)


def _replayed(stored: Sequence[StoredEvent], seq: int) -> PastConversation:
    """Replay all events, and keep what they had led to after one of them."""
    place = min(max(seq, stored[0].seq), stored[-1].seq)
    times = {item.seq: item.at for item in stored}
    latest, history, event = History(), None, None
    for item in stored:
        applied = event_from(item.type, item.data)
        latest.append(item.seq, applied)
        if item.seq == place:
            history, event = latest.copy(), applied
    if history is None or event is None:
        raise NotFound
    branch = [replace(item, created_at=item.created_at or times.get(item.seq)) for item in history.branch]
    return PastConversation(history, event, times[place], branch, latest)


def _finished(branch: Sequence[ThreadMessage]) -> list[ThreadMessage]:
    """Return the messages before the first one that was being written."""
    return list(takewhile(lambda message: message.state is not MessageState.RUNNING, branch))


def _branch_events(past: PastConversation, conversation_id: UUID) -> tuple[list[ConversationEvent], dict[UUID, UUID]]:
    """Return the events after which the past branch is shown, and the IDs of the copies that they add, by the original's ID."""
    now, wanted = past.latest.messages, _finished(past.branch)
    same = list(takewhile(lambda message: _is_unchanged(message, now[message.id]), wanted))
    changed = wanted[len(same) :]
    require_forkable(changed)
    restored = [
        MessageRestored(message_id=message.id, parent_id=message.parent_id or conversation_id, leaf_id=message.id)
        for message in same
        if now[message.id].is_deleted
    ]
    leaf_id = same[-1].id if same else conversation_id
    copies = {message.id: new_id() for message in changed}
    parents = [leaf_id, *copies.values()]
    added = [copy_of(message, copies[message.id], parent) for message, parent in zip(changed, parents, strict=False)]
    shown = past.latest.branch
    chosen: list[ConversationEvent] = []
    if not added and (restored or leaf_id != (shown[-1].id if shown else conversation_id)):
        common = [new.id for new, old in zip(same, shown, strict=False) if new.id == old.id]
        chosen = [BranchChosen(leaf_id=leaf_id, parent_id=common[-1] if common else conversation_id)]
    # The sources of an answer that was written again are those of its new text.
    with_sources = {found.id: copies[found.id] for found in changed if found.citations == now[found.id].citations}
    return [*restored, *chosen, *added], with_sources


def _is_unchanged(then: ThreadMessage, now: ThreadMessage) -> bool:
    return all(getattr(then, name) == getattr(now, name) for name in _CONTENT)


async def _other_events(session: AsyncSession, past: PastConversation) -> list[ConversationEvent]:
    """Return the events after which the title, the model and the context sources are the past ones."""
    then, now = past.history, past.latest
    events: list[ConversationEvent] = []
    if then.title != now.title:
        events.append(ConversationRenamed(title=then.title))
    if then.model != now.model:
        events.append(ModelChosen(model=then.model))
    if (then.system_prompt, then.parameters) != (now.system_prompt, now.parameters):
        events.append(ConversationConfigured(system_prompt=then.system_prompt, parameters=then.parameters))
    if then.assistant != now.assistant:
        events.append(AssistantChosen(assistant=then.assistant))
    events += [
        ContextSourceAttached(source_id=item.id, kind=item.kind, name=item.name)
        for item in await _still_readable(session, then)
        if item.id not in now.context_sources
    ]
    return events + [
        ContextSourceDetached(source_id=found) for found in now.context_sources if found not in then.context_sources
    ]


async def _still_readable(session: AsyncSession, history: History) -> list[SourceRef]:
    """Return the context sources that the acting user may read now."""
    readable = await source_rows.readable(session, list(history.context_sources), with_uploads=True)
    return [item for item in history.context_sources.values() if item.id in readable]
