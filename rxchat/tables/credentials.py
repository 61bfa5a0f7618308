"""What users prove themselves with beside a password: second factors, passkeys, API keys."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, LargeBinary, UniqueConstraint
from sqlmodel import Field

from rxchat.domain.ids import new_id
from rxchat.tables.base import Table, moment, strings


def _owner() -> UUID:
    """The user that the row belongs to, first in its key."""
    return Field(primary_key=True, foreign_key="user_account.id", ondelete="CASCADE")


class TotpSecret(Table, table=True):
    """An authenticator app's secret (RFC 6238), sealed; in force once it was confirmed by a code."""

    user_id: UUID = _owner()
    encrypted_secret: bytes = Field(sa_type=LargeBinary)
    created_at: datetime = moment(default_now=True)
    confirmed_at: datetime | None = moment(nullable=True)
    last_step: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    """The time step of the last code that was taken: it and all before it are used up."""


class RecoveryCode(Table, table=True):
    """One of ten codes for the day on which the second factor is lost; each works once."""

    user_id: UUID = _owner()
    id: UUID = Field(default_factory=new_id, primary_key=True)
    hash: bytes = Field(sa_type=LargeBinary)
    used_at: datetime | None = moment(nullable=True)


class Passkey(Table, table=True):
    """A WebAuthn credential: a second factor, and a way to sign in by itself."""

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
    """A key for programs: shown once, kept as a hash, recognized by its first characters."""

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
