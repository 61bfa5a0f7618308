"""Imports of conversations."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from rxchat.domain.imports.conversation import ImportSource
from rxchat.domain.imports.report import ImportState
from rxchat.tables.base import Table, enum_column, moment, owned_key

_NONE = {"server_default": "0"}


class ConversationImport(Table, table=True):
    """An import of a file, with its progress and report."""

    owner_id: UUID = Field(primary_key=True, foreign_key="user_account.id", ondelete="CASCADE")
    id: UUID = Field(primary_key=True)
    file_name: str
    state: ImportState = enum_column(ImportState)
    found: int = Field(default=0, sa_column_kwargs=_NONE)
    """How many conversations the file has, as far as it was read."""
    imported: int = Field(default=0, sa_column_kwargs=_NONE)
    skipped: int = Field(default=0, sa_column_kwargs=_NONE)
    imported_items: list[Any] = Field(default_factory=list, sa_type=JSONB, sa_column_kwargs={"server_default": "[]"})
    """The ID, title and notes of the first ones that were imported."""
    skipped_items: list[Any] = Field(default_factory=list, sa_type=JSONB, sa_column_kwargs={"server_default": "[]"})
    """The title of the first ones that were skipped, and the reason."""
    error: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """Why the file could not be read to its end."""
    created_at: datetime = moment(default_now=True)
    lease_until: datetime = moment()
    finished_at: datetime | None = moment(nullable=True)


class ImportedConversationRow(Table, table=True):
    """Which conversation of which system a conversation was imported from: each is imported once."""

    __table_args__ = (
        ForeignKeyConstraint(
            ["owner_id", "conversation_id"], ["conversation.owner_id", "conversation.id"], ondelete="CASCADE"
        ),
        Index("ix_imported_conversation_conversation", "owner_id", "conversation_id"),
    )

    owner_id: UUID = owned_key()
    source: ImportSource = enum_column(ImportSource, primary_key=True)
    external_id: str = Field(primary_key=True)
    conversation_id: UUID
    imported_at: datetime = moment(default_now=True)
