"""How users organize their conversations: what they have read, drafts, tags and projects."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ARRAY, ForeignKeyConstraint, Index, Uuid, text
from sqlmodel import Field

from rxchat.domain.ids import new_id
from rxchat.domain.tags import TagColor
from rxchat.tables.base import Table, enum_column, moment, owned_key


class ConversationRead(Table, table=True):
    """Up to which event a user has read a conversation, their own or one that is shared with them."""

    __table_args__ = (
        ForeignKeyConstraint(
            ["owner_id", "conversation_id"], ["conversation.owner_id", "conversation.id"], ondelete="CASCADE"
        ),
        Index("ix_conversation_read_conversation", "owner_id", "conversation_id"),
    )

    user_id: UUID = Field(primary_key=True, foreign_key="user_account.id", ondelete="CASCADE")
    owner_id: UUID = Field(primary_key=True)
    conversation_id: UUID = Field(primary_key=True)
    seq: int
    """The seq of the last event that was read."""


class MessageDraft(Table, table=True):
    """What a user has typed in a conversation and not sent, for their other devices."""

    __table_args__ = (
        ForeignKeyConstraint(
            ["owner_id", "conversation_id"], ["conversation.owner_id", "conversation.id"], ondelete="CASCADE"
        ),
    )

    owner_id: UUID = owned_key()
    conversation_id: UUID = Field(primary_key=True)
    text: str
    saved_at: datetime = moment(default_now=True)


class TagRow(Table, table=True):
    """A word by which a user finds their conversations."""

    __table_args__ = (Index("uq_tag_name", "owner_id", text("lower(name)"), unique=True),)

    owner_id: UUID = Field(primary_key=True, foreign_key="user_account.id", ondelete="CASCADE")
    id: UUID = Field(default_factory=new_id, primary_key=True)
    name: str
    color: TagColor = enum_column(TagColor)
    created_at: datetime = moment(default_now=True)


class ConversationTag(Table, table=True):
    """A tag of a conversation."""

    __table_args__ = (
        ForeignKeyConstraint(
            ["owner_id", "conversation_id"], ["conversation.owner_id", "conversation.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(["owner_id", "tag_id"], ["tag.owner_id", "tag.id"], ondelete="CASCADE"),
        Index("ix_conversation_tag_tag", "owner_id", "tag_id"),
    )

    owner_id: UUID = owned_key()
    conversation_id: UUID = Field(primary_key=True)
    tag_id: UUID = Field(primary_key=True)


class ProjectRow(Table, table=True):
    """A folder of conversations, with what applies to all of them."""

    __table_args__ = (
        ForeignKeyConstraint(["owner_id", "parent_id"], ["project.owner_id", "project.id"], ondelete="CASCADE"),
        Index("ix_project_parent", "owner_id", "parent_id"),
    )

    owner_id: UUID = Field(primary_key=True, foreign_key="user_account.id", ondelete="CASCADE")
    id: UUID = Field(default_factory=new_id, primary_key=True)
    parent_id: UUID | None = None
    """The project that it is in."""
    name: str
    instructions: str
    model: str
    collection_ids: list[UUID] = Field(sa_type=cast("type[Any]", ARRAY(Uuid)))
    """The collections that its conversations may draw on; some may be deleted, or not readable any more."""
    created_at: datetime = moment(default_now=True)


class ConversationProject(Table, table=True):
    """The project that a conversation is in."""

    __table_args__ = (
        ForeignKeyConstraint(
            ["owner_id", "conversation_id"], ["conversation.owner_id", "conversation.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(["owner_id", "project_id"], ["project.owner_id", "project.id"], ondelete="CASCADE"),
        Index("ix_conversation_project_project", "owner_id", "project_id"),
    )

    owner_id: UUID = owned_key()
    conversation_id: UUID = Field(primary_key=True)
    project_id: UUID
