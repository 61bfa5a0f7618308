"""Queries about conversations, their events and their messages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, assert_never
from uuid import UUID

from sqlalchemy import ARRAY, Interval, Text, Uuid, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import bindparam
from sqlmodel import col

from rxchat.db.chat import conversation_sources
from rxchat.db.platform.notifications import CHANNEL
from rxchat.domain.chat import Role
from rxchat.domain.conversation_events import (
    AnswerEnded,
    ConversationCreated,
    ConversationEvent,
    event_data,
    event_from,
    json_value,
)
from rxchat.domain.conversations import (
    Change,
    ContextSourceChange,
    ConversationChange,
    MessageChange,
    changes_of,
)
from rxchat.domain.exports.conversation import StoredEvent
from rxchat.domain.ids import parse_id
from rxchat.domain.messages import ThreadMessage
from rxchat.tables import Conversation, Message, Run

_STORED = [name for name in ThreadMessage.__dataclass_fields__ if name not in {"versions", "created_at"}]
_COLUMNS = ", ".join(("owner_id", "conversation_id", *_STORED, "created_at"))
_VALUES = _COLUMNS.replace("created_at", "coalesce(created_at, now())")
# An answer that is started again names no parent.
_PARENT = "(SELECT parent_id FROM message AS stored WHERE stored.owner_id = answer.owner_id AND stored.id = answer.id)"
_ANSWER_VALUES = _VALUES.replace("parent_id", f"coalesce(answer.parent_id, {_PARENT})")
_RUN_COLUMNS = "owner_id, id, conversation_id, message_id, model, state, attempt, correlation_id"
_RESTARTED = ", ".join(f"{name} = excluded.{name}" for name in _STORED if name not in {"id", "seq", "parent_id"})
# In one statement, since a user waits for the first token of the answer. A retried answer keeps its place in the tree;
# a second question with the same ID is a conflict.
_APPEND = text(
    f"""
    WITH questions AS (
        INSERT INTO message ({_COLUMNS}) SELECT {_VALUES} FROM jsonb_populate_recordset(NULL::message, :questions)
    ), answers AS (
        INSERT INTO message ({_COLUMNS}) SELECT {_ANSWER_VALUES} FROM jsonb_populate_recordset(NULL::message, :answers) AS answer
        ON CONFLICT (owner_id, id) DO UPDATE SET {_RESTARTED}
    ), queued AS (
        INSERT INTO run ({_RUN_COLUMNS}) SELECT {_RUN_COLUMNS} FROM jsonb_populate_recordset(NULL::run, :runs)
    )
    SELECT append_conversation_events(:owner, :conversation, :expected_seq, :types, :data, :leaf),
           (SELECT count(pg_notify(:channel, 'run queued')) FROM jsonb_array_elements(:runs))
    """  # noqa: S608 - put together from constants
).bindparams(
    bindparam("types", type_=ARRAY(Text)),
    bindparam("leaf", type_=Uuid),
    bindparam("data", type_=ARRAY(JSONB)),
    *(bindparam(name, type_=JSONB) for name in ("questions", "answers", "runs")),
)


_FACTS = ("title", "model", "system_prompt", "parameters", "assistant", "created_at", "updated_at")
"""The columns that a change of a conversation sets to its values."""
_DELETE_FOR_GOOD = text("SELECT delete_conversations(CAST(:conversations AS uuid[]))")
_PURGE = text("SELECT purge_conversations(:after)").bindparams(bindparam("after", type_=Interval()))


async def get_owned(session: AsyncSession, owner_id: UUID, conversation_id: UUID) -> Conversation | None:
    """Return the user's conversation, or None if it is unknown, deleted or another user's."""
    found = await session.execute(
        select(Conversation).where(
            col(Conversation.owner_id) == owner_id,
            col(Conversation.id) == conversation_id,
            col(Conversation.deleted_at).is_(None),
        )
    )
    return found.scalar_one_or_none()


async def get_granted(session: AsyncSession, conversation_id: UUID) -> Conversation | None:
    """Return another user's conversation that the acting user has a grant to read, or None."""
    found = await session.execute(
        select(Conversation).where(
            col(Conversation.id) == conversation_id,
            col(Conversation.id) == func.any(func.readable_conversations()),
            col(Conversation.deleted_at).is_(None),
        )
    )
    return found.scalar_one_or_none()


async def get_owned_or_deleted(session: AsyncSession, owner_id: UUID, conversation_id: UUID) -> Conversation | None:
    """Return the owner's conversation, deleted ones too, or None if it is unknown or another user's."""
    found = await session.execute(
        select(Conversation).where(col(Conversation.owner_id) == owner_id, col(Conversation.id) == conversation_id)
    )
    return found.scalar_one_or_none()


async def titles(session: AsyncSession, owner_id: UUID, ids: Sequence[str]) -> dict[str, str]:
    """Return the titles of the owner's conversations by ID."""
    wanted = [found for found in map(parse_id, ids) if found is not None]
    found = await session.execute(
        select(col(Conversation.id), col(Conversation.title)).where(
            col(Conversation.owner_id) == owner_id,
            col(Conversation.id).in_(wanted),
            col(Conversation.deleted_at).is_(None),
        )
    )
    return {str(row.id): row.title for row in found}


async def ids_owned(session: AsyncSession, owner_id: UUID) -> list[UUID]:
    """Return the IDs of all of the owner's conversations, deleted ones too, the oldest first."""
    found = await session.execute(
        select(col(Conversation.id)).where(col(Conversation.owner_id) == owner_id).order_by(col(Conversation.id))
    )
    return list(found.scalars())


async def append_events(
    session: AsyncSession,
    owner_id: UUID,
    conversation_id: UUID,
    expected_seq: int,
    events: Sequence[ConversationEvent],
    runs: Sequence[Run] = (),
) -> int:
    """Append events after `expected_seq`, apply them to the projections, and return the last event's seq.

    `runs` are queued, and the engines are woken when the transaction commits.

    Raises:
        StaleConversation: if another writer was first (mapped at the end of the transaction).
        Conflict: if a question with this ID exists already (mapped there, too).
    """
    batch = _Batch(owner_id, conversation_id)
    for place, event in enumerate(events, start=expected_seq + 1):
        # `create_conversation` has inserted the row as the first event describes it.
        if not isinstance(event, ConversationCreated):
            for change in changes_of(place, event):
                batch.add(change)
    appended = await session.execute(
        _APPEND,
        {
            "owner": owner_id,
            "conversation": conversation_id,
            "expected_seq": expected_seq,
            "types": [event.type for event in events],
            "data": [event_data(event) for event in events],
            "leaf": batch.leaf_id,
            "questions": batch.questions,
            "answers": list(batch.answers.values()),
            "runs": [_run_row(run) for run in runs],
            "channel": CHANNEL,
        },
    )
    for change in batch.updates:
        await _update(session, owner_id, conversation_id, change)
    return appended.scalars().one()


def _run_row(run: Run) -> dict[str, Any]:
    ids = {name: str(getattr(run, name)) for name in ("owner_id", "id", "conversation_id", "message_id")}
    return ids | {"model": run.model, "state": run.state, "attempt": run.attempt, "correlation_id": run.correlation_id}


class _Batch:
    """What a batch of events changes: messages, which are inserted as JSON with the events, and stored rows, which are updated."""

    def __init__(self, owner_id: UUID, conversation_id: UUID) -> None:
        self._key = {"owner_id": str(owner_id), "conversation_id": str(conversation_id)}
        self.questions: list[dict[str, Any]] = []
        self.answers: dict[UUID, dict[str, Any]] = {}
        self.rows: dict[UUID, dict[str, Any]] = {}
        """Both, by ID."""
        self.updates: list[ConversationChange | AnswerEnded | MessageChange | ContextSourceChange] = []
        self.leaf_id: UUID | None = None
        """The last message that is shown afterwards; None if that does not change."""

    def add(self, change: Change) -> None:
        """Add the next change."""
        match change:
            case ThreadMessage():
                self._add_message(change)
            case ConversationChange(leaf_id=leaf_id) if leaf_id is not None:
                self.leaf_id = leaf_id
            case AnswerEnded(message_id=message_id) | MessageChange(id=message_id) if message_id in self.rows:
                # No UPDATE would find it yet.
                self.rows[message_id] |= change.changes
            case _:
                self.updates.append(change)

    def _add_message(self, message: ThreadMessage) -> None:
        values = {name: getattr(message, name) for name in (*_STORED, "created_at")}
        row = {**self._key, **{name: json_value(value) for name, value in values.items()}}
        if message.role is Role.USER:
            self.questions.append(row)
            self.rows[message.id] = row
            return
        # An answer that restarts keeps its place, as a stored row does, and its end in this batch is void.
        before = self.answers.get(message.id, row)
        self.rows[message.id] = self.answers[message.id] = row | {name: before[name] for name in ("seq", "parent_id")}
        self.updates = [
            item
            for item in self.updates
            if not (isinstance(item, (AnswerEnded, MessageChange)) and _message_id(item) == message.id)
        ]


def _message_id(change: AnswerEnded | MessageChange) -> UUID:
    return change.message_id if isinstance(change, AnswerEnded) else change.id


async def _update(
    session: AsyncSession,
    owner_id: UUID,
    conversation_id: UUID,
    change: ConversationChange | AnswerEnded | MessageChange | ContextSourceChange,
) -> None:
    match change:
        case ConversationChange():
            await _change_conversation(session, owner_id, conversation_id, change)
        case AnswerEnded() | MessageChange():
            await _change_message(session, owner_id, conversation_id, change)
        case ContextSourceChange():
            await conversation_sources.change(session, owner_id, conversation_id, change)
        case _:
            assert_never(change)


async def _change_message(
    session: AsyncSession, owner_id: UUID, conversation_id: UUID, change: AnswerEnded | MessageChange
) -> None:
    await session.execute(
        update(Message)
        .where(
            col(Message.owner_id) == owner_id,
            col(Message.conversation_id) == conversation_id,
            col(Message.id) == _message_id(change),
        )
        .values(change.changes)
    )


def times_of(change: ConversationChange) -> dict[str, bool]:
    """Return the columns that a change sets to the current time (True) or clears (False)."""
    times = {"deleted_at": change.removed, "pinned_at": change.is_pinned, "archived_at": change.is_archived}
    return {name: is_set for name, is_set in times.items() if is_set is not None}


async def _change_conversation(
    session: AsyncSession, owner_id: UUID, conversation_id: UUID, change: ConversationChange
) -> None:
    facts: dict[str, Any] = {}
    facts |= {name: value for name in _FACTS if (value := getattr(change, name)) is not None}
    facts |= {name: func.now() if is_set else None for name, is_set in times_of(change).items()}
    await session.execute(
        update(Conversation)
        .where(col(Conversation.owner_id) == owner_id, col(Conversation.id) == conversation_id)
        .values(facts)
    )


_EVENTS = text(
    """
    SELECT seq, type, data FROM conversation_event
     WHERE owner_id = :owner AND conversation_id = :conversation AND seq > :after_seq ORDER BY seq
    """
)


async def events_after(
    session: AsyncSession, owner_id: UUID, conversation_id: UUID, *, after_seq: int = 0
) -> list[tuple[int, ConversationEvent]]:
    """Return the events of a conversation after a seq, in order."""
    found = await session.execute(_EVENTS, {"owner": owner_id, "conversation": conversation_id, "after_seq": after_seq})
    return [(row.seq, event_from(row.type, row.data)) for row in found]


_STORED_EVENTS = text(
    """
    SELECT seq, type, data, at FROM conversation_event
     WHERE owner_id = :owner AND conversation_id = :conversation AND seq > :after_seq ORDER BY seq LIMIT :limit
    """
)


async def stored_events(
    session: AsyncSession, owner_id: UUID, conversation_id: UUID, *, after_seq: int = 0, limit: int | None = None
) -> list[StoredEvent]:
    """Return the events of a conversation as they are stored, in order; at most `limit` after a seq."""
    wanted = {"owner": owner_id, "conversation": conversation_id, "after_seq": after_seq, "limit": limit}
    found = await session.execute(_STORED_EVENTS, wanted)
    return [StoredEvent(row.seq, row.type, row.at, row.data) for row in found]


async def delete_for_good(session: AsyncSession, conversation_ids: Sequence[UUID] | None) -> int:
    """Delete deleted conversations of the acting user permanently, some of them for None; return their number."""
    ids = None if conversation_ids is None else [str(found) for found in conversation_ids]
    return (await session.execute(_DELETE_FOR_GOOD, {"conversations": ids})).scalar_one()


async def purge(session: AsyncSession, after: timedelta) -> int:
    """Delete some conversations of all users permanently that were deleted so long ago; return their number."""
    return (await session.execute(_PURGE, {"after": after})).scalar_one()
