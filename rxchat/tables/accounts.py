"""Users, their sign-ins and the accounts elsewhere that they sign in with."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field

from rxchat.domain.ids import new_id
from rxchat.tables.base import Table, moment, strings


class User(Table, table=True):
    """A user with an account (`user` is a reserved word in SQL)."""

    __table_args__ = (Index("uq_user_account_email", text("email_key(email)"), unique=True),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    email: str
    name: str
    role: str = Field(foreign_key="role.name")
    password_hash: str | None = None
    created_at: datetime = moment(default_now=True)
    suspended_at: datetime | None = moment(nullable=True)
    email_confirmed_at: datetime | None = moment(nullable=True)
    password_changed_at: datetime | None = moment(nullable=True)
    deletion_at: datetime | None = moment(nullable=True)
    """When the account and all that is its will be gone, once its owner or an administrator has asked for it."""
    deletion_by: UUID | None = None
    """The administrator who asked for it; None: its owner."""
    admin_reads_seen_at: datetime | None = moment(nullable=True)
    """Until when its owner knows what administrators have read of their conversations."""


class UserSession(Table, table=True):
    """One sign-in of one user, on a browser or by a program; the record decides, not the cookie or the token."""

    user_id: UUID = Field(primary_key=True, foreign_key="user_account.id", ondelete="CASCADE")
    id: UUID = Field(default_factory=new_id, primary_key=True)
    created_at: datetime = moment(default_now=True)
    last_seen_at: datetime = moment(default_now=True)
    expires_at: datetime = moment()
    ended_at: datetime | None = moment(nullable=True)
    address: str = Field(default="", sa_column_kwargs={"server_default": ""})
    user_agent: str = Field(default="", sa_column_kwargs={"server_default": ""})
    kind: str = Field(default="browser", sa_column_kwargs={"server_default": "browser"})
    method: str = Field(default="password", sa_column_kwargs={"server_default": "password"})
    """How it began: password, passkey, or the key of a sign-in provider."""
    second_factor_at: datetime | None = moment(nullable=True)
    """When a second factor was shown in it, if one was."""
    device_id: UUID | None = None
    scopes: list[str] | None = strings(default=None)
    generation: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """How often a program's refresh token was exchanged: an older one that comes back was stolen."""
    ended_reason: str = Field(default="", sa_column_kwargs={"server_default": ""})
    previous_id: UUID | None = None
    """What its id was before it was rotated: for some seconds both count."""
    rotated_at: datetime = moment(default_now=True)


class DataExport(Table, table=True):
    """A download of all that is a user's, while it is on its way: a lease, renewed by the process that sends it."""

    user_id: UUID = Field(primary_key=True, foreign_key="user_account.id", ondelete="CASCADE")
    id: UUID
    expires_at: datetime = moment()


class Identity(Table, table=True):
    """An account at a sign-in provider, keyed on (issuer, subject) and never on an e-mail address."""

    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    user_id: UUID = Field(primary_key=True, foreign_key="user_account.id", ondelete="CASCADE")
    id: UUID = Field(default_factory=new_id, primary_key=True)
    issuer: str
    subject: str
    email: str = Field(default="", sa_column_kwargs={"server_default": ""})
    created_at: datetime = moment(default_now=True)
    provider: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """The key of the provider in the settings: github, apple, oidc."""
