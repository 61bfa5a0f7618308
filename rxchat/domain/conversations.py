"""The events of a conversation, and the one fold that defines the effect of each.

Writing and replaying both use `changes_of`: services store the changes of an event in the projections (the tables
`conversation` and `message`), `History.replayed` applies the same changes in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum
from types import UnionType
from typing import Any, ClassVar, assert_never, get_args, get_type_hints
from uuid import UUID

from rxchat.domain.chat import Role


class MessageState(StrEnum):
    """The progress of a message; a user's message is always done."""

    DONE = "done"
    RUNNING = "running"
    FAILED = "failed"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"


class ContextKind(StrEnum):
    """What a context source is."""

    COLLECTION = "collection"
    DOCUMENT = "document"
    ATTACHMENTS = "attachments"
    """Files attached to a message."""


@dataclass(frozen=True, slots=True)
class SourceRef:
    """A context source of a conversation: a collection or a document."""

    id: UUID
    kind: ContextKind
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationCreated:
    """A conversation was created."""

    type: ClassVar[str] = "conversation_created"
    title: str
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionAsked:
    """A user sent a message."""

    type: ClassVar[str] = "question_asked"
    message_id: UUID
    text: str
    attachments: list[dict[str, Any]] = field(default_factory=list)
    """The `id`, `kind` and `name` of each document and collection that was sent with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerStarted:
    """A run starts to write an answer, restarts it, or continues its stored text."""

    type: ClassVar[str] = "answer_started"
    message_id: UUID
    run_id: UUID
    model: str
    text: str = ""
    reasoning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageContent:
    """The fields that a message and the event that ends it have in common.

    A field that is added here is stored with the event, in the column of its name, and sent to the page.
    """

    text: str = ""
    reasoning: str = ""
    error_code: str = ""
    error: str = ""
    error_detail: str = ""
    """For administrators only: which host failed, and its error message."""
    tokens: int = 0
    seconds: float = 0.0
    tokens_per_second: float = 0.0
    citations: list[dict[str, Any]] = field(default_factory=list)
    """The marks in the text, checked against the sources that the model was shown (domain/citations.py)."""
    warnings: list[str] = field(default_factory=list)
    """Sentences below the answer: files that could not be searched, and that no source was used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadMessage(MessageContent):
    """A message of a conversation: its row without the owner, and the result of replaying its events."""

    id: UUID
    seq: int
    """The seq of the event that added it: its position in the conversation."""
    role: Role
    model: str = ""
    state: MessageState = MessageState.DONE
    attachments: list[dict[str, Any]] = field(default_factory=list)
    """What was sent with it, as in QuestionAsked."""
    created_at: datetime | None = None
    """None if it was replayed from events."""


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
class ConversationRenamed:
    """A user changed the title."""

    type: ClassVar[str] = "conversation_renamed"
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChosen:
    """A person chooses which model will answer from here on."""

    type: ClassVar[str] = "model_chosen"
    model: str


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
    | ConversationRenamed
    | ModelChosen
    | ContextSourceAttached
    | ContextSourceDetached
    | ConversationRemoved
    | ConversationRestored
)

_EVENT_TYPES: dict[str, type[ConversationEvent]] = {
    kind.type: kind
    for kind in (
        ConversationCreated,
        QuestionAsked,
        AnswerStarted,
        AnswerEnded,
        ConversationRenamed,
        ModelChosen,
        ContextSourceAttached,
        ContextSourceDetached,
        ConversationRemoved,
        ConversationRestored,
    )
}


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
    return {name: _json(value) for name, value in facts.items() if value is not None}


def _json(value: Any) -> Any:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationChange:
    """An event's changes of the conversation itself; None leaves a field unchanged."""

    title: str | None = None
    model: str | None = None
    removed: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextSourceChange:
    """A change of the context sources; without a name the source is removed."""

    id: UUID
    kind: ContextKind | None = None
    name: str | None = None


Change = ConversationChange | ThreadMessage | AnswerEnded | ContextSourceChange
"""A ThreadMessage is added, or replaces the one with its id and keeps its position; an AnswerEnded changes the fields it carries."""


def changes_of(seq: int, event: ConversationEvent) -> tuple[Change, ...]:
    """Return the changes of the projections by an event with this seq."""
    match event:
        case QuestionAsked(message_id=message_id, text=text, attachments=attachments):
            return (ThreadMessage(id=message_id, seq=seq, role=Role.USER, text=text, attachments=attachments),)
        case AnswerStarted():
            return (
                ThreadMessage(
                    id=event.message_id,
                    seq=seq,
                    role=Role.ASSISTANT,
                    text=event.text,
                    reasoning=event.reasoning,
                    model=event.model,
                    state=MessageState.RUNNING,
                ),
            )
        case AnswerEnded():
            return (event,)
        case ContextSourceAttached(source_id=source_id, kind=kind, name=name):
            return (ContextSourceChange(id=source_id, kind=kind, name=name),)
        case ContextSourceDetached(source_id=source_id):
            return (ContextSourceChange(id=source_id),)
        case _:
            return (_change_of_conversation(event),)


def _change_of_conversation(
    event: ConversationCreated | ConversationRenamed | ModelChosen | ConversationRemoved | ConversationRestored,
) -> ConversationChange:
    match event:
        case ConversationCreated(title=title, model=model):
            return ConversationChange(title=title, model=model, removed=False)
        case ConversationRenamed(title=title):
            return ConversationChange(title=title)
        case ModelChosen(model=model):
            return ConversationChange(model=model)
        case ConversationRemoved():
            return ConversationChange(removed=True)
        case ConversationRestored():
            return ConversationChange(removed=False)
        case _:
            assert_never(event)


@dataclass(frozen=True, slots=True)
class History:
    """A conversation after its last replayed event."""

    title: str = ""
    model: str = ""
    removed: bool = False
    seq: int = 0
    messages: dict[UUID, ThreadMessage] = field(default_factory=dict)
    context_sources: dict[UUID, str] = field(default_factory=dict)
    """The names of the context sources, by id."""

    @classmethod
    def replayed(cls, events: Iterable[tuple[int, ConversationEvent]]) -> History:
        """Return the result of applying these events, in the order of their seq."""
        history = cls()
        for seq, event in events:
            for change in changes_of(seq, event):
                history = history.after(change)
            history = replace(history, seq=seq)
        return history

    def after(self, change: Change) -> History:
        """Return the history after one more change."""
        match change:
            case ConversationChange():
                facts = {item.name: getattr(change, item.name) for item in fields(change)}
                return replace(self, **{name: value for name, value in facts.items() if value is not None})
            case ThreadMessage(id=message_id):
                earlier = self.messages.get(message_id)
                message = replace(change, seq=earlier.seq) if earlier else change
                return replace(self, messages={**self.messages, message_id: message})
            case AnswerEnded(message_id=message_id):
                message = replace(self.messages[message_id], **change.changes)
                return replace(self, messages={**self.messages, message_id: message})
            case ContextSourceChange(id=source_id, name=name):
                others = {known: called for known, called in self.context_sources.items() if known != source_id}
                return replace(self, context_sources=others if name is None else {**others, source_id: name})
            case _:
                assert_never(change)


ListPosition = tuple[datetime, UUID]
"""A position in a list of conversations by the time of their last change: that time, and the ID."""


@dataclass(frozen=True, slots=True)
class ConversationSummary:
    """A conversation as an item of a list."""

    id: UUID
    title: str
    model: str
    updated_at: datetime
    is_running: bool = False

    @property
    def position(self) -> ListPosition:
        """Its position in lists, newest first."""
        return self.updated_at, self.id


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """A message that waits while an answer is written."""

    id: UUID
    text: str
    model: str
    attachments: list[dict[str, Any]] = field(default_factory=list)
    """What was sent with it, as in QuestionAsked."""
