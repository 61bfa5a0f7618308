"""What is kept for programs that use the API."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from rxchat.tables.base import Table, moment


class IdempotencyKey(Table, table=True):
    """A request with an Idempotency-Key, and its answer once there is one."""

    __table_args__ = (Index("ix_idempotency_key_created_at", "created_at"),)

    owner_id: UUID = Field(primary_key=True, foreign_key="user_account.id", ondelete="CASCADE")
    key: str = Field(primary_key=True)
    request_hash: bytes
    request_id: UUID
    """What the request makes can have this ID: it is the same when the request is made again after its process died."""
    claim_id: UUID
    """Changes with each process that makes the request, so that one that was paused cannot end the claim of its successor."""
    status: int | None = None
    """The status of the answer; None while the request is in progress."""
    headers: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB, sa_column_kwargs={"server_default": "{}"})
    body: bytes | None = None
    created_at: datetime = moment(default_now=True)
    lease_until: datetime = moment()
    """Until when the process that serves the request is alive; afterwards the request may be made again."""
