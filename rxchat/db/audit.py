"""The audit's one query: a call of the procedure that alone may write it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import bindparam

from rxchat.domain.ids import new_id

_APPEND = text("SELECT append_audit_event(:id, :actor, :action, :address, :correlation, :data)").bindparams(
    bindparam("data", type_=JSONB)
)


async def append(
    session: AsyncSession, actor_id: UUID | None, action: str, address: str, correlation_id: str, **data: Any
) -> None:
    """Write down what someone did, in the same transaction as the change itself."""
    await session.execute(
        _APPEND,
        {
            "id": new_id(),
            "actor": actor_id,
            "action": action,
            "address": address,
            "correlation": correlation_id,
            "data": data,
        },
    )
