"""Conversations, and the one fold that defines the effect of each event.

Writing and replaying both use `changes_of`: services store the changes of an event in the projections (the tables
`conversation` and `message`), `History.replayed` applies the same changes in memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, assert_never
from uuid import UUID

from rxchat.domain.chat import Role
from rxchat.domain.conversation_events import (
    AnswerEnded,
    AnswerRated,
    AnswerStarted,
    AssistantChosen,
    BranchChosen,
    ContextKind,
    ContextSourceAttached,
    ContextSourceDetached,
    ConversationArchived,
    ConversationConfigured,
    ConversationCreated,
    ConversationEvent,
    ConversationImported,
    ConversationPinned,
    ConversationRemoved,
    ConversationRenamed,
    ConversationRestored,
    MessageAdded,
    MessageDeleted,
    MessageRestored,
    ModelChosen,
    QuestionAsked,
)
from rxchat.domain.messages import MessageState, ThreadMessage


@dataclass(frozen=True, slots=True)
class SourceRef:
    """A context source of a conversation: a collection or a document."""

    id: UUID
    kind: ContextKind
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationChange:
    """An event's changes of the conversation itself; None leaves a field unchanged."""

    title: str | None = None
    model: str | None = None
    removed: bool | None = None
    is_pinned: bool | None = None
    is_archived: bool | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    system_prompt: str | None = None
    parameters: dict[str, Any] | None = None
    assistant: dict[str, Any] | None = None
    leaf_id: UUID | None = None
    """The last message of the branch that is shown; the conversation's ID when no message is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextSourceChange:
    """A change of the context sources; without a name the source is removed."""

    id: UUID
    kind: ContextKind | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageChange:
    """A change of a message that is there; None leaves a field unchanged."""

    id: UUID
    is_deleted: bool | None = None
    """Whether it is hidden with what follows it."""
    feedback: dict[str, Any] | None = None

    @property
    def changes(self) -> dict[str, Any]:
        """The new values of the message's fields, by name."""
        values = {"is_deleted": self.is_deleted, "feedback": self.feedback}
        return {name: value for name, value in values.items() if value is not None}


Change = ConversationChange | ThreadMessage | AnswerEnded | MessageChange | ContextSourceChange
"""A ThreadMessage is added or, without a parent, replaces the one with its id and keeps its place; an AnswerEnded changes the fields it carries."""


def changes_of(seq: int, event: ConversationEvent) -> tuple[Change, ...]:
    """Return the changes of the projections by an event with this seq."""
    match event:
        case QuestionAsked() | AnswerStarted() | MessageAdded():
            message = _message_of(seq, event)
            moved = (ConversationChange(leaf_id=message.id),) if message.parent_id is not None else ()
            return (message, *moved)
        case AnswerEnded():
            return (event,)
        case MessageDeleted(message_id=message_id, leaf_id=leaf_id):
            return (MessageChange(id=message_id, is_deleted=True), ConversationChange(leaf_id=leaf_id))
        case MessageRestored(message_id=message_id, leaf_id=leaf_id):
            return (MessageChange(id=message_id, is_deleted=False), ConversationChange(leaf_id=leaf_id))
        case AnswerRated(message_id=message_id, feedback=feedback):
            return (MessageChange(id=message_id, feedback=feedback),)
        case ContextSourceAttached(source_id=source_id, kind=kind, name=name):
            return (ContextSourceChange(id=source_id, kind=kind, name=name),)
        case ContextSourceDetached(source_id=source_id):
            return (ContextSourceChange(id=source_id),)
        case _:
            return (_change_of_conversation(event),)


def _message_of(seq: int, event: QuestionAsked | AnswerStarted | MessageAdded) -> ThreadMessage:
    role, state = Role.USER, MessageState.DONE
    if isinstance(event, AnswerStarted):
        role, state = Role.ASSISTANT, MessageState.RUNNING
    known = {item.name for item in fields(ThreadMessage)}
    shared = {item.name: getattr(event, item.name) for item in fields(event) if item.name in known}
    return ThreadMessage(**{"role": role, "state": state, **shared, "id": event.message_id, "seq": seq})


def leaf_after(leaf_id: UUID, events: Iterable[ConversationEvent]) -> UUID:
    """Return the last message that is shown after these events, of a conversation that showed `leaf_id`."""
    for event in events:
        for change in changes_of(0, event):
            if isinstance(change, ConversationChange) and change.leaf_id is not None:
                leaf_id = change.leaf_id
    return leaf_id


def _change_of_conversation(
    event: ConversationCreated
    | ConversationRenamed
    | ConversationPinned
    | ConversationArchived
    | ModelChosen
    | ConversationConfigured
    | AssistantChosen
    | BranchChosen
    | ConversationImported
    | ConversationRemoved
    | ConversationRestored,
) -> ConversationChange:
    match event:
        case ConversationCreated(title=title, model=model):
            return ConversationChange(title=title, model=model, removed=False)
        case (
            ConversationRenamed()
            | ConversationPinned()
            | ConversationArchived()
            | ModelChosen()
            | ConversationConfigured()
            | AssistantChosen()
        ):
            # Their fields have the names of what they change.
            return ConversationChange(**{item.name: getattr(event, item.name) for item in fields(event)})
        case BranchChosen(leaf_id=leaf_id):
            return ConversationChange(leaf_id=leaf_id)
        case ConversationImported(created_at=created_at, updated_at=updated_at):
            return ConversationChange(created_at=created_at, updated_at=updated_at)
        case ConversationRemoved():
            return ConversationChange(removed=True)
        case ConversationRestored():
            return ConversationChange(removed=False)
        case _:
            assert_never(event)


@dataclass(slots=True)
class History:
    """A conversation after its last replayed event."""

    title: str = ""
    model: str = ""
    system_prompt: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    assistant: dict[str, Any] = field(default_factory=dict)
    """The version of an assistant that it has; empty if it has none."""
    removed: bool = False
    is_pinned: bool = False
    is_archived: bool = False
    created_at: datetime | None = None
    """When it was created, if it was imported; otherwise the time of its first event."""
    updated_at: datetime | None = None
    """The last change before it was imported."""
    leaf_id: UUID | None = None
    """The last message of the branch that is shown; None before the first."""
    seq: int = 0
    messages: dict[UUID, ThreadMessage] = field(default_factory=dict)
    context_sources: dict[UUID, SourceRef] = field(default_factory=dict)

    @classmethod
    def replayed(cls, events: Iterable[tuple[int, ConversationEvent]]) -> History:
        """Return the result of applying these events, in the order of their seq."""
        history = cls()
        for seq, event in events:
            history.append(seq, event)
        return history

    @property
    def branch(self) -> list[ThreadMessage]:
        """The messages that are shown, the first one first."""
        found: list[ThreadMessage] = []
        message = self.messages.get(self.leaf_id) if self.leaf_id else None
        while message is not None:
            found.append(message)
            message = self.messages.get(message.parent_id) if message.parent_id else None
        return found[::-1]

    def copy(self) -> History:
        """Return the history as it is now; more events change only one of both."""
        return replace(self, messages=dict(self.messages), context_sources=dict(self.context_sources))

    def append(self, seq: int, event: ConversationEvent) -> None:
        """Apply the next event."""
        for change in changes_of(seq, event):
            self._apply(change)
        self.seq = seq

    def _apply(self, change: Change) -> None:
        match change:
            case ConversationChange():
                for item in fields(change):
                    value = getattr(change, item.name)
                    if value is not None:
                        setattr(self, item.name, value)
            case ThreadMessage(id=message_id):
                earlier = self.messages.get(message_id)
                self.messages[message_id] = (
                    replace(change, seq=earlier.seq, parent_id=earlier.parent_id) if earlier else change
                )
            case AnswerEnded(message_id=message_id) | MessageChange(id=message_id):
                self.messages[message_id] = replace(self.messages[message_id], **change.changes)
            case ContextSourceChange(id=source_id, kind=kind, name=name):
                if kind is None or name is None:
                    self.context_sources.pop(source_id, None)
                else:
                    self.context_sources.setdefault(source_id, SourceRef(source_id, kind, name))
            case _:
                assert_never(change)


class ConversationList(StrEnum):
    """The lists of a user's conversations."""

    CURRENT = "current"
    """Neither archived nor deleted."""
    RECENT = "recent"
    """The current ones that are not pinned."""
    PINNED = "pinned"
    ARCHIVED = "archived"
    DELETED = "deleted"
    """Those that can be restored."""


ListPosition = tuple[datetime, UUID]
"""A position in a list of conversations by the time of their last change: that time, and the ID."""


@dataclass(frozen=True, slots=True)
class ConversationSummary:
    """A conversation as an item of a list."""

    id: UUID
    title: str
    model: str
    updated_at: datetime
    pinned_at: datetime | None = None
    archived_at: datetime | None = None
    deleted_at: datetime | None = None
    is_running: bool = False
    is_unread: bool = False
    """Whether an answer ended that the user has not seen."""
    tag_ids: tuple[UUID, ...] = ()

    @property
    def position(self) -> ListPosition:
        """Its position in lists, newest first."""
        return self.updated_at, self.id
