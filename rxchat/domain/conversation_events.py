"""The events of a conversation, and their form in the database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from types import UnionType
from typing import Any, ClassVar, get_args, get_type_hints
from uuid import UUID

from rxchat.domain.chat import Role
from rxchat.domain.messages import MessageContent, MessageState


class ContextKind(StrEnum):
    """What a context source is."""

    COLLECTION = "collection"
    DOCUMENT = "document"
    ATTACHMENTS = "attachments"
    """Files attached to a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationCreated:
    """A conversation was created."""

    type: ClassVar[str] = "conversation_created"
    title: str
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionAsked:
    """A user sent a message, or another version of one that has the same parent."""

    type: ClassVar[str] = "question_asked"
    message_id: UUID
    parent_id: UUID
    """The message that it follows; the conversation's ID for a first one."""
    text: str
    attachments: list[dict[str, Any]] = field(default_factory=list)
    """The `id`, `kind` and `name` of each document and collection that was sent with it."""
    parameters: dict[str, Any] = field(default_factory=dict)
    """How it is to be answered (domain/model_parameters.py), beside what is set for the conversation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerStarted:
    """A run starts to write an answer, restarts it, or continues its stored text."""

    type: ClassVar[str] = "answer_started"
    message_id: UUID
    parent_id: UUID | None = None
    """The question; None for an answer that exists already, which keeps its place."""
    run_id: UUID
    model: str
    text: str = ""
    reasoning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerEnded(MessageContent):
    """A run has ended, successfully or not; the text so far is stored in any case."""

    type: ClassVar[str] = "answer_ended"
    message_id: UUID
    state: MessageState

    @property
    def allows_next(self) -> bool:
        """Whether the next queued message may be sent; after a failure the user decides."""
        return self.state in {MessageState.DONE, MessageState.STOPPED}

    @property
    def changes(self) -> dict[str, Any]:
        """The new values of the message's fields, by name."""
        return {item.name: getattr(self, item.name) for item in fields(self) if item.name != "message_id"}


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageAdded(MessageContent):
    """A message was added as it is: copied into a fork, or an answer as a user has edited it."""

    type: ClassVar[str] = "message_added"
    message_id: UUID
    parent_id: UUID
    role: Role
    model: str = ""
    state: MessageState = MessageState.DONE
    attachments: list[dict[str, Any]] = field(default_factory=list)
    created_at: datetime | None = None
    """When it was written first; None for now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchChosen:
    """A user chose another version of a message, with what follows it."""

    type: ClassVar[str] = "branch_chosen"
    leaf_id: UUID
    """The last message of the branch."""
    parent_id: UUID
    """The parent of the chosen version: up to there nothing changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDeleted:
    """A user deleted a message, and with it what follows it."""

    type: ClassVar[str] = "message_deleted"
    message_id: UUID
    parent_id: UUID
    leaf_id: UUID
    """The last message that is shown from then on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRestored:
    """A user restored a deleted message, and with it what follows it."""

    type: ClassVar[str] = "message_restored"
    message_id: UUID
    parent_id: UUID
    leaf_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRated:
    """A user rated an answer, or took the rating back."""

    type: ClassVar[str] = "answer_rated"
    message_id: UUID
    feedback: dict[str, Any]
    """`rating`, `reasons`, `comment` and `at` (ISO 8601, UTC), as in domain/feedback.py; empty without a rating."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationRenamed:
    """A user changed the title."""

    type: ClassVar[str] = "conversation_renamed"
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationPinned:
    """A user pinned the conversation to the top of the list, or unpinned it."""

    type: ClassVar[str] = "conversation_pinned"
    is_pinned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationArchived:
    """A user moved the conversation to the archive, or back to the list."""

    type: ClassVar[str] = "conversation_archived"
    is_archived: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChosen:
    """A person chooses which model will answer from here on."""

    type: ClassVar[str] = "model_chosen"
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationConfigured:
    """A user set how the answers of the conversation are to be; empty values leave that to what is set elsewhere."""

    type: ClassVar[str] = "conversation_configured"
    system_prompt: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssistantChosen:
    """A user chose an assistant for the conversation, a newer version of it, or none any more."""

    type: ClassVar[str] = "assistant_chosen"
    assistant: dict[str, Any] = field(default_factory=dict)
    """The version as a `ChosenAssistant` (domain/assistants.py); empty for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextSourceAttached:
    """A user attached a collection or document as a context source."""

    type: ClassVar[str] = "context_source_attached"
    source_id: UUID
    kind: ContextKind
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextSourceDetached:
    """A user removed a context source."""

    type: ClassVar[str] = "context_source_detached"
    source_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationImported:
    """The conversation was imported from a file, with the times that it had before."""

    type: ClassVar[str] = "conversation_imported"
    source: str
    """The system that the file is from."""
    external_id: str
    """Its ID there."""
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationRemoved:
    """A user deleted the conversation; it can be restored."""

    type: ClassVar[str] = "conversation_removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationRestored:
    """A user restored the conversation."""

    type: ClassVar[str] = "conversation_restored"


ConversationEvent = (
    ConversationCreated
    | QuestionAsked
    | AnswerStarted
    | AnswerEnded
    | MessageAdded
    | BranchChosen
    | MessageDeleted
    | MessageRestored
    | AnswerRated
    | ConversationRenamed
    | ConversationPinned
    | ConversationArchived
    | ModelChosen
    | ConversationConfigured
    | AssistantChosen
    | ContextSourceAttached
    | ContextSourceDetached
    | ConversationImported
    | ConversationRemoved
    | ConversationRestored
)

_EVENT_TYPES: dict[str, type[ConversationEvent]] = {kind.type: kind for kind in get_args(ConversationEvent)}


def _parsers(kind: type[ConversationEvent]) -> dict[str, Callable[[Any], Any]]:
    """Return the functions that restore an event's fields from JSON, by name; fields that are JSON values need none."""
    parsers: dict[str, Callable[[Any], Any]] = {}
    hints = get_type_hints(kind)
    for item in fields(kind):
        hint = hints[item.name]
        for option in get_args(hint) if isinstance(hint, UnionType) else (hint,):
            if option is datetime:
                parsers[item.name] = datetime.fromisoformat
            elif isinstance(option, type) and issubclass(option, (UUID, StrEnum)):
                parsers[item.name] = option
    return parsers


_PARSERS = {name: _parsers(kind) for name, kind in _EVENT_TYPES.items()}


def event_data(event: ConversationEvent) -> dict[str, Any]:
    """Return the event's fields as JSON values, for the `data` column, without those that are None."""
    facts = {item.name: getattr(event, item.name) for item in fields(event)}
    return {name: json_value(value) for name, value in facts.items() if value is not None}


def json_value(value: Any) -> Any:
    """Return the JSON value of an event's field."""
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, (UUID, StrEnum)) else value


def event_from(kind: str, data: dict[str, Any]) -> ConversationEvent:
    """Return the event that `event_data` serialized.

    Raises:
        ValueError: when the type is unknown.
    """
    if kind not in _EVENT_TYPES:
        raise ValueError(f"unknown conversation event {kind!r}")
    parsed = {name: parse(data[name]) for name, parse in _PARSERS[kind].items() if name in data}
    return _EVENT_TYPES[kind](**{**data, **parsed})
