"""Prompts and their versions."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, text
from sqlmodel import Field

from rxchat.domain.ids import new_id
from rxchat.tables.base import Table, moment, owned_key


class PromptRow(Table, table=True):
    """A prompt as it is now."""

    __table_args__ = (
        Index("ix_prompt_id", "id", unique=True),
        Index("uq_prompt_command", "owner_id", "command", unique=True, postgresql_where=text("deleted_at IS NULL")),
        Index("ix_prompt_deleted", "owner_id", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
    )

    owner_id: UUID = Field(primary_key=True, foreign_key="user_account.id", ondelete="CASCADE")
    id: UUID = Field(default_factory=new_id, primary_key=True)
    title: str
    command: str
    text: str
    description: str
    version: int
    created_at: datetime = moment(default_now=True)
    updated_at: datetime = moment(default_now=True)
    deleted_at: datetime | None = moment(nullable=True)


class PromptVersionRow(Table, table=True):
    """What a prompt has said: written once with each change, and kept."""

    __table_args__ = (
        ForeignKeyConstraint(
            ["owner_id", "prompt_id"],
            ["prompt.owner_id", "prompt.id"],
            name="fk_prompt_version_prompt",
            ondelete="CASCADE",
        ),
        Index("ix_prompt_version_changed_by", "changed_by"),
    )

    owner_id: UUID = owned_key()
    prompt_id: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True)
    title: str
    command: str
    text: str
    description: str
    changed_by: UUID | None = Field(default=None, foreign_key="user_account.id", ondelete="SET NULL")
    changed_at: datetime = moment(default_now=True)
    restored_from: int | None = None
