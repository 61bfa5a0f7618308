"""Credentials other than passwords: second factors, passkeys, API keys."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, LargeBinary, UniqueConstraint
from sqlmodel import Field

from rxchat.domain.ids import new_id
from rxchat.tables.base import Table, moment, strings


def _owner() -> UUID:
    """Return the owner's ID as the first column of the primary key."""
    return Field(primary_key=True, foreign_key="user_account.id", ondelete="CASCADE")


class TotpSecret(Table, table=True):
    """An authenticator app's encrypted secret (RFC 6238); enabled once a code has confirmed it."""

    user_id: UUID = _owner()
    encrypted_secret: bytes = Field(sa_type=LargeBinary)
    created_at: datetime = moment(default_now=True)
    confirmed_at: datetime | None = moment(nullable=True)
    last_step: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    """The time step of the last accepted code; this step and all earlier ones are consumed."""


class RecoveryCode(Table, table=True):
    """One of ten recovery codes for users who lost their second factor; each works once."""

    user_id: UUID = _owner()
    id: UUID = Field(default_factory=new_id, primary_key=True)
    hash: bytes = Field(sa_type=LargeBinary)
    used_at: datetime | None = moment(nullable=True)


class Passkey(Table, table=True):
    """A WebAuthn credential, which can be the second factor or replace the password."""

    __table_args__ = (UniqueConstraint("credential_id"),)

    user_id: UUID = _owner()
    id: UUID = Field(default_factory=new_id, primary_key=True)
    credential_id: bytes = Field(sa_type=LargeBinary)
    public_key: bytes = Field(sa_type=LargeBinary)
    sign_count: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    name: str
    created_at: datetime = moment(default_now=True)
    last_used_at: datetime | None = moment(nullable=True)


class ApiKey(Table, table=True):
    """An API key, stored as a hash; its first characters identify it for the user."""

    __table_args__ = (UniqueConstraint("hash"),)

    user_id: UUID = _owner()
    id: UUID = Field(default_factory=new_id, primary_key=True)
    name: str
    prefix: str
    hash: bytes = Field(sa_type=LargeBinary)
    scopes: list[str] = strings()
    created_at: datetime = moment(default_now=True)
    expires_at: datetime | None = moment(nullable=True)
    last_used_at: datetime | None = moment(nullable=True)
    revoked_at: datetime | None = moment(nullable=True)
