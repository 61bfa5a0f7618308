"""Messages of a conversation, and those that wait to be sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from rxchat.domain.chat import Role


class MessageState(StrEnum):
    """The progress of a message; a user's message is always done."""

    DONE = "done"
    RUNNING = "running"
    FAILED = "failed"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"


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
    parameters: dict[str, Any] = field(default_factory=dict)
    """Of a question, those that were sent with it; of an answer, those that it was written with (domain/model_parameters.py)."""
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
    parent_id: UUID | None = None
    """The message before it; the conversation's ID for a first one. None only for an answer that is started again."""
    attachments: list[dict[str, Any]] = field(default_factory=list)
    """What was sent with it, as in QuestionAsked."""
    is_deleted: bool = False
    feedback: dict[str, Any] = field(default_factory=dict)
    """How its owner rated it, as in AnswerRated."""
    created_at: datetime | None = None
    """None if it was replayed from events."""
    versions: list[UUID] = field(default_factory=list)
    """The messages with the same parent, itself too, oldest first: as read from the database, which does not store it."""


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """A message that waits while an answer is written."""

    id: UUID
    text: str
    model: str
    attachments: list[dict[str, Any]] = field(default_factory=list)
    """What was sent with it, as in QuestionAsked."""
    parameters: dict[str, Any] = field(default_factory=dict)
    """How it is to be answered, as in QuestionAsked."""
