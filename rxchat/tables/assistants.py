"""Assistants and their versions."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from rxchat.domain.ids import new_id
from rxchat.tables.base import Table, moment, owned_key


class AssistantRow(Table, table=True):
    """An assistant as it is now."""

    __table_args__ = (
        Index("ix_assistant_id", "id", unique=True),
        Index("ix_assistant_deleted", "owner_id", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
    )

    owner_id: UUID = Field(primary_key=True, foreign_key="user_account.id", ondelete="CASCADE")
    id: UUID = Field(default_factory=new_id, primary_key=True)
    name: str
    content: dict[str, Any] = Field(sa_type=JSONB)
    """An `AssistantContent` (domain/assistants.py), with the name, too."""
    version: int
    created_at: datetime = moment(default_now=True)
    updated_at: datetime = moment(default_now=True)
    deleted_at: datetime | None = moment(nullable=True)


class AssistantVersionRow(Table, table=True):
    """What an assistant has been: written once with each change, and kept."""

    __table_args__ = (
        ForeignKeyConstraint(
            ["owner_id", "assistant_id"],
            ["assistant.owner_id", "assistant.id"],
            name="fk_assistant_version_assistant",
            ondelete="CASCADE",
        ),
        Index("ix_assistant_version_changed_by", "changed_by"),
    )

    owner_id: UUID = owned_key()
    assistant_id: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True)
    content: dict[str, Any] = Field(sa_type=JSONB)
    changed_by: UUID | None = Field(default=None, foreign_key="user_account.id", ondelete="SET NULL")
    changed_at: datetime = moment(default_now=True)
    restored_from: int | None = None
