"""The audit log, which only a stored procedure writes."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from rxchat.domain.ids import new_id
from rxchat.tables.base import Table, moment


class AuditEvent(Table, table=True):
    """An action that is recorded in the audit log."""

    __table_args__ = (
        Index(
            "ix_audit_event_admin_reads",
            text("(data ->> 'user')"),
            "at",
            postgresql_where=text("action IN ('conversations_listed', 'conversation_read')"),
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    at: datetime = moment(default_now=True)
    actor_id: UUID | None = Field(default=None, index=True)
    action: str
    address: str = ""
    correlation_id: str = ""
    data: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    seq: int = Field(unique=True, sa_type=BigInteger)
    """1, 2, 3 ... without gaps, in the order of the hash chain."""
    previous_hash: bytes = Field(sa_type=LargeBinary)
    hash: bytes = Field(sa_type=LargeBinary)
    """SHA-256 over the previous row's hash and all fields of this row."""


class AuditCheckpoint(Table, table=True):
    """A signature over the chain up to one row: changing earlier rows would require the key."""

    seq: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    hash: bytes = Field(sa_type=LargeBinary)
    signed_at: datetime = moment()
    key_id: str
    signature: bytes = Field(sa_type=LargeBinary)
