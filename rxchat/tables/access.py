"""Roles, groups, grants, settings of the instance, and one-time links."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from rxchat.domain.ids import new_id
from rxchat.tables.base import Table, moment, strings


class RoleRow(Table, table=True):
    """A role and its permissions."""

    name: str = Field(primary_key=True)
    title: str
    description: str = ""
    permissions: list[str] = strings()
    is_builtin: bool = False


class Group(Table, table=True):
    """A group of users who share grants (`group` is a reserved word in SQL)."""

    __table_args__ = (Index("uq_user_group_name", text("lower(name)"), unique=True),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    name: str
    description: str = ""
    created_at: datetime = moment(default_now=True)


class GroupMember(Table, table=True):
    """The membership of a user in a group."""

    user_id: UUID = Field(primary_key=True, foreign_key="user_account.id", ondelete="CASCADE")
    group_id: UUID = Field(primary_key=True, foreign_key="user_group.id", ondelete="CASCADE", index=True)


class GrantRow(Table, table=True):
    """Permission for a principal to use one resource, or all of a kind (`grant` is a reserved word in SQL)."""

    __table_args__ = (
        UniqueConstraint(
            "principal_kind", "principal", "resource_kind", "resource", "action", name="uq_access_grant_all"
        ),
        Index("ix_access_grant_resource", "resource_kind", "resource"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    principal_kind: str
    principal: str
    resource_kind: str
    resource: str
    action: str
    created_by: UUID | None = Field(default=None, foreign_key="user_account.id", ondelete="SET NULL")
    created_at: datetime = moment(default_now=True)


class InstanceSetting(Table, table=True):
    """A setting of this instance that administrators can change while it runs."""

    name: str = Field(primary_key=True)
    value: Any = Field(sa_type=JSONB)
    changed_at: datetime = moment(default_now=True)


class AccountToken(Table, table=True):
    """A link that works once: an invitation, a password reset, the confirmation of an e-mail address."""

    __table_args__ = (UniqueConstraint("hash"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    kind: str
    hash: bytes = Field(sa_type=LargeBinary)
    user_id: UUID | None = Field(default=None, foreign_key="user_account.id", ondelete="CASCADE")
    """The user whom it is for; None for an invitation."""
    email: str
    role: str = ""
    group_ids: list[str] = strings(default_factory=list)
    is_mailed: bool = False
    """Whether it was mailed, so that its use proves access to the mailbox."""
    created_by: UUID | None = Field(default=None, foreign_key="user_account.id", ondelete="CASCADE")
    created_at: datetime = moment(default_now=True)
    expires_at: datetime = moment()
    used_at: datetime | None = moment(nullable=True)


class RateLimitRow(Table, table=True):
    """Attempts by key, counted here while Redis does not respond."""

    key: str = Field(primary_key=True)
    failures: int
    blocked_until: datetime | None = moment(nullable=True)
    updated_at: datetime = moment(default_now=True)


class ConsumedToken(Table, table=True):
    """A consumed one-time token, stored until it would have expired."""

    id: UUID = Field(primary_key=True)
    expires_at: datetime = moment()
