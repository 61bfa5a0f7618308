"""What mattered: written by a stored procedure alone."""

# SQLModel declares __tablename__ in a way that a plain string does not fit, though its documentation uses one.
# pyright: reportAssignmentType=false

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from rxchat.domain.ids import new_id
from rxchat.tables.base import moment


class AuditEvent(SQLModel, table=True):
    """One thing that someone did and that the team may have to look up later."""

    __tablename__ = "audit_event"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    at: datetime = moment(default_now=True)
    actor_id: UUID | None = Field(default=None, index=True)
    action: str
    address: str = ""
    correlation_id: str = ""
    data: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
