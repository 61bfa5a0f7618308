"""Users, their sessions and their external accounts."""

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
    """The scheduled deletion of the account and all of its data."""
    deletion_by: UUID | None = None
    """The administrator who scheduled the deletion; None: the user."""
    admin_reads_seen_at: datetime | None = moment(nullable=True)
    """Up to when the user has seen the list of administrators' accesses to their conversations."""


class UserSession(Table, table=True):
    """A session of a user, in a browser or an API client; this row decides its validity, not the cookie or token."""

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
    """The sign-in method: password, passkey, or the key of a sign-in provider."""
    second_factor_at: datetime | None = moment(nullable=True)
    """When a second factor was verified in it; None if none was."""
    device_id: UUID | None = None
    scopes: list[str] | None = strings(default=None)
    generation: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """The number of exchanges of the refresh token: reuse of an older token means that it was stolen."""
    ended_reason: str = Field(default="", sa_column_kwargs={"server_default": ""})
    previous_id: UUID | None = None
    """The ID before the last rotation; both are valid for some seconds."""
    rotated_at: datetime = moment(default_now=True)


class UserPreferences(Table, table=True):
    """What a user prefers in all of their browsers."""

    user_id: UUID = Field(primary_key=True, foreign_key="user_account.id", ondelete="CASCADE")
    custom_instructions: str = Field(default="", sa_column_kwargs={"server_default": ""})
    default_model: str = Field(default="", sa_column_kwargs={"server_default": ""})
    favorite_models: list[str] = strings(default_factory=list, sa_column_kwargs={"server_default": "{}"})


class DataExport(Table, table=True):
    """A running download of a user's data: a lease, which the sending process renews."""

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
