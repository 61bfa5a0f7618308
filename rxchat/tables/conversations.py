"""Conversations: their events, and the projections that pages read."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKeyConstraint,
    Identity,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlmodel import Field

from rxchat.domain.chat import Role
from rxchat.domain.ids import new_id
from rxchat.domain.messages import MessageState
from rxchat.tables.base import Table, enum_column, moment, owned_key

_LEXEMES = "to_tsvector('rxchat'::regconfig, translate(left(text, 50000), '<>@/.&', '      '))"


class Conversation(Table, table=True):
    """The current state of a conversation: a projection of its events."""

    __table_args__ = (
        Index("ix_conversation_id", "id"),
        Index("ix_conversation_owner_updated", "owner_id", text("updated_at DESC")),
        Index("ix_conversation_pinned", "owner_id", postgresql_where=text("pinned_at IS NOT NULL")),
        Index("ix_conversation_archived", "owner_id", "archived_at", postgresql_where=text("archived_at IS NOT NULL")),
        Index("ix_conversation_deleted", "owner_id", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
    )

    owner_id: UUID = Field(primary_key=True, foreign_key="user_account.id", ondelete="CASCADE")
    id: UUID = Field(default_factory=new_id, primary_key=True)
    title: str = ""
    model: str = ""
    system_prompt: str = Field(default="", sa_column_kwargs={"server_default": ""})
    parameters: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB, sa_column_kwargs={"server_default": "{}"})
    """How answers are to be (domain/model_parameters.py), as far as it is set for the conversation."""
    assistant: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB, sa_column_kwargs={"server_default": "{}"})
    """The version of an assistant that it has (a `ChosenAssistant`, domain/assistants.py); empty if it has none."""
    seq: int = 0
    """The seq of its last event."""
    leaf_id: UUID
    """The last message of the branch that is shown; its own ID when it shows none."""
    answered_seq: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """The seq of the event by which the last answer ended; 0 if none has."""
    created_at: datetime = moment(default_now=True)
    updated_at: datetime = moment(default_now=True)
    """The last change of its messages."""
    pinned_at: datetime | None = moment(nullable=True)
    archived_at: datetime | None = moment(nullable=True)
    deleted_at: datetime | None = moment(nullable=True)


class Message(Table, table=True):
    """The current state of a message: a projection of its conversation's events."""

    __table_args__ = (
        ForeignKeyConstraint(
            ["owner_id", "conversation_id"], ["conversation.owner_id", "conversation.id"], ondelete="CASCADE"
        ),
        Index("ix_message_conversation", "owner_id", "conversation_id", "seq"),
        Index("ix_message_parent", "owner_id", "parent_id", "seq"),
        Index("ix_message_deleted", "owner_id", "id", postgresql_where=text("is_deleted")),
        Index("ix_message_feedback", text("(feedback ->> 'at')"), postgresql_where=text("feedback <> '{}'")),
        CheckConstraint("id <> conversation_id", name="ck_message_id"),
    )

    owner_id: UUID = owned_key()
    id: UUID = Field(default_factory=new_id, primary_key=True)
    conversation_id: UUID
    seq: int
    """The seq of the event that added it, which orders the messages of a conversation."""
    parent_id: UUID
    """The message before it; the conversation's ID for a first one. Messages with the same parent are versions."""
    role: Role = enum_column(Role)
    text: str = ""
    reasoning: str = ""
    model: str = ""
    state: MessageState = enum_column(MessageState, default=MessageState.DONE)
    error_code: str = ""
    error: str = ""
    error_detail: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """The failed host and its message, for administrators only."""
    tokens: int = 0
    seconds: float = 0.0
    tokens_per_second: float = 0.0
    citations: list[Any] = Field(default_factory=list, sa_type=JSONB, sa_column_kwargs={"server_default": "[]"})
    parameters: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB, sa_column_kwargs={"server_default": "{}"})
    """What a question was sent with, or an answer written with."""
    warnings: list[Any] = Field(default_factory=list, sa_type=JSONB, sa_column_kwargs={"server_default": "[]"})
    attachments: list[Any] = Field(default_factory=list, sa_type=JSONB, sa_column_kwargs={"server_default": "[]"})
    """The ID, kind and name of each document and collection that was sent with the message."""
    is_deleted: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    """Whether it is hidden, with what follows it, until it is restored."""
    feedback: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB, sa_column_kwargs={"server_default": "{}"})
    """How its owner rated it."""
    created_at: datetime = moment(default_now=True)
    lexemes: Any = Field(
        default=None, sa_type=TSVECTOR, sa_column_args=(Computed(_LEXEMES, persisted=True),), nullable=False
    )
    """The words of the first 50,000 characters, for searches; Postgres makes them."""


class QueuedMessageRow(Table, table=True):
    """A message that a user sent while an answer was being written; deleted when its turn starts."""

    __table_args__ = (
        ForeignKeyConstraint(
            ["owner_id", "conversation_id"], ["conversation.owner_id", "conversation.id"], ondelete="CASCADE"
        ),
        Index("ix_queued_message_conversation", "owner_id", "conversation_id", "position"),
    )

    owner_id: UUID = owned_key()
    id: UUID = Field(primary_key=True)
    conversation_id: UUID
    position: int | None = Field(default=None, sa_type=BigInteger, sa_column_args=(Identity(),))
    text: str
    model: str
    attachments: list[Any] = Field(default_factory=list, sa_type=JSONB, sa_column_kwargs={"server_default": "[]"})
    parameters: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB, sa_column_kwargs={"server_default": "{}"})
    created_at: datetime = moment(default_now=True)


class PublicLinkRow(Table, table=True):
    """A public link to a conversation, with the snapshot that it shows."""

    __table_args__ = (
        ForeignKeyConstraint(
            ["owner_id", "conversation_id"], ["conversation.owner_id", "conversation.id"], ondelete="CASCADE"
        ),
        UniqueConstraint("hash"),
        Index("ix_public_link_conversation", "owner_id", "conversation_id"),
    )

    owner_id: UUID = owned_key()
    id: UUID = Field(default_factory=new_id, primary_key=True)
    conversation_id: UUID
    hash: bytes
    """The keyed hash of its token."""
    title: str
    messages: list[Any] = Field(sa_type=JSONB)
    """A `PublicMessage` each, as JSON."""
    password_hash: str | None = None
    created_at: datetime = moment(default_now=True)
    expires_at: datetime | None = moment(nullable=True)


class ConversationEventRow(Table, table=True):
    """An event of a conversation; rows are never changed."""

    __table_args__ = (
        ForeignKeyConstraint(
            ["owner_id", "conversation_id"], ["conversation.owner_id", "conversation.id"], ondelete="CASCADE"
        ),
    )

    owner_id: UUID = owned_key()
    conversation_id: UUID = Field(primary_key=True)
    seq: int = Field(primary_key=True)
    type: str
    data: dict[str, Any] = Field(sa_type=JSONB)
    actor_id: UUID
    at: datetime = moment(default_now=True)
