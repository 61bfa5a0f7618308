"""Runs, and the chunks of their answers."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, text
from sqlmodel import Field

from rxchat.domain.ids import new_id
from rxchat.domain.runs import ChunkKind, RunState
from rxchat.tables.base import Table, enum_column, moment, owned_key

_ACTIVE = text("state IN ('queued', 'running')")


class Run(Table, table=True):
    """One generation of an answer, which a run engine leases."""

    __table_args__ = (
        ForeignKeyConstraint(
            ["owner_id", "conversation_id"], ["conversation.owner_id", "conversation.id"], ondelete="CASCADE"
        ),
        # One answer at a time in a conversation, even with questions from several tabs.
        Index("ix_run_conversation", "owner_id", "conversation_id"),
        Index("uq_run_active", "owner_id", "conversation_id", unique=True, postgresql_where=_ACTIVE),
        Index("ix_run_created", "created_at", postgresql_using="brin"),
        Index("ix_run_waiting", "created_at", postgresql_where=_ACTIVE),
    )

    owner_id: UUID = owned_key()
    id: UUID = Field(default_factory=new_id, primary_key=True)
    conversation_id: UUID
    message_id: UUID
    model: str
    state: RunState = enum_column(RunState, default=RunState.QUEUED)
    attempt: int = 0
    fence: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """The number of claims: an engine's writes are refused after a later claim."""
    engine_id: UUID | None = None
    lease_until: datetime | None = moment(nullable=True)
    stop_requested_at: datetime | None = moment(nullable=True)
    correlation_id: str = ""
    created_at: datetime = moment(default_now=True)
    started_at: datetime | None = moment(nullable=True)
    finished_at: datetime | None = moment(nullable=True)


class RunPrompt(Table, table=True):
    """What a model was sent for a run."""

    __table_args__ = (
        ForeignKeyConstraint(
            ["owner_id", "run_id"], ["run.owner_id", "run.id"], name="fk_run_prompt_run", ondelete="CASCADE"
        ),
        Index("ix_run_prompt_conversation", "owner_id", "conversation_id", "created_at"),
    )

    owner_id: UUID = owned_key()
    run_id: UUID = Field(primary_key=True)
    conversation_id: UUID
    message_id: UUID
    content: bytes
    """A prompt record (domain/prompt_records.py), compressed."""
    created_at: datetime = moment(default_now=True)


class RunChunkRow(Table, table=True):
    """A chunk of an answer that is being written; deleted when the message contains the answer."""

    __table_args__ = (ForeignKeyConstraint(["owner_id", "run_id"], ["run.owner_id", "run.id"], ondelete="CASCADE"),)

    owner_id: UUID = owned_key()
    run_id: UUID = Field(primary_key=True)
    seq: int = Field(primary_key=True)
    kind: ChunkKind = enum_column(ChunkKind)
    start: int
    text: str
    at: datetime = moment(default_now=True)
