"""Queries about the audit log, which only a stored procedure may write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import LargeBinary, String, Uuid, cast, func, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import bindparam
from sqlmodel import col

from rxchat.domain.audit import Checkpoint, Entry
from rxchat.domain.audit_actions import AuditAction
from rxchat.domain.ids import new_id
from rxchat.tables import AuditCheckpoint, AuditEvent, User

# ruff: noqa: S608 - what is put together here are constants

_APPEND = text("SELECT append_audit_entry(:id, :actor, :action, :address, :correlation, :data)").bindparams(
    bindparam("data", type_=JSONB)
)


async def append(
    session: AsyncSession, actor_id: UUID | None, action: AuditAction, address: str, correlation_id: str, /, **data: Any
) -> None:
    """Record an action of a user, in the same transaction as the change itself."""
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


async def belong_to_others(session: AsyncSession, ids: Sequence[UUID]) -> bool:
    """Return whether one of these IDs is that of another user's conversation, collection or document."""
    statement = text("SELECT belong_to_others(:ids)").bindparams(bindparam("ids", type_=ARRAY(Uuid())))
    return bool((await session.execute(statement, {"ids": list(ids)})).scalar_one())


_AT = "to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
_ENTRY = (
    f"SELECT seq, id::text, {_AT} AS at, coalesce(actor_id::text, '') AS actor, action, address, correlation_id,"
    " data::text AS data, hash FROM audit_event"
)


@dataclass(frozen=True, slots=True)
class EventView:
    """An audit event for administrators."""

    seq: int
    at: datetime
    actor: str
    """The actor's name and address, or "" if the actor is not known."""
    action: str
    address: str
    data: dict[str, Any]


async def page(session: AsyncSession, *, words: str, action: str, before: int | None, limit: int) -> list[EventView]:
    """Return the newest matching events before a seq that the acting user may see."""
    actor = (
        select(col(User.name) + " <" + col(User.email) + ">")
        .where(col(User.id) == col(AuditEvent.actor_id))
        .correlate(AuditEvent)
        .scalar_subquery()
    )
    statement = select(AuditEvent, func.coalesce(actor, func.coalesce(cast(col(AuditEvent.actor_id), String), "")))
    if before is not None:
        statement = statement.where(col(AuditEvent.seq) < before)
    if action:
        statement = statement.where(col(AuditEvent.action) == action)
    if words:
        pattern = "%" + words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        statement = statement.where(
            or_(
                actor.ilike(pattern),
                col(AuditEvent.action).ilike(pattern),
                col(AuditEvent.address).ilike(pattern),
                cast(col(AuditEvent.data), String).ilike(pattern),
            )
        )
    found = await session.execute(statement.order_by(col(AuditEvent.seq).desc()).limit(limit))
    return [EventView(row.seq, row.at, name, row.action, row.address, row.data) for row, name in found.all()]


async def entries(session: AsyncSession, after: int, limit: int) -> list[Entry]:
    """Return rows of the chain in order, exactly as they were hashed."""
    statement = text(f"{_ENTRY} WHERE seq > :after ORDER BY seq LIMIT :limit")
    found = await session.execute(statement, {"after": after, "limit": limit})
    return [Entry(**{**row, "hash": bytes(row["hash"])}) for row in found.mappings()]


async def checkpoints(session: AsyncSession) -> list[Checkpoint]:
    """Return all signatures over the chain, in order."""
    found = await session.execute(select(AuditCheckpoint).order_by(col(AuditCheckpoint.seq)))
    return [
        Checkpoint(row.seq, bytes(row.hash), format_timestamp(row.signed_at), bytes(row.signature))
        for row in found.scalars()
    ]


_TO_SIGN = text(
    """
    SELECT seq, hash FROM unsigned_audit_event
     WHERE seq % CAST(:every AS integer) = 0
        OR (is_newest AND coalesce(last_signed_at, '-infinity') < now() - CAST(:age AS interval))
     ORDER BY seq
    """
)


async def rows_to_sign(session: AsyncSession, every: int, age: timedelta) -> list[tuple[int, bytes]]:
    """Return seq and hash of the rows that need a checkpoint: every n-th, and the newest after some time."""
    found = await session.execute(_TO_SIGN, {"every": every, "age": age})
    return [(row.seq, bytes(row.hash)) for row in found.all()]


async def add_checkpoint(session: AsyncSession, checkpoint: Checkpoint, key_id: str) -> bool:
    """Insert a checkpoint; False if the row has changed, or another process has signed it already."""
    added = await session.execute(
        text("SELECT add_audit_checkpoint(:seq, :hash, :at, :key, :signature)").bindparams(
            bindparam("hash", type_=LargeBinary), bindparam("signature", type_=LargeBinary)
        ),
        {
            "seq": checkpoint.seq,
            "hash": checkpoint.hash,
            "at": datetime.fromisoformat(checkpoint.signed_at),
            "key": key_id,
            "signature": checkpoint.signature,
        },
    )
    return bool(added.scalar_one())


async def by_actor(session: AsyncSession, user_id: UUID) -> list[AuditEvent]:
    """Return the audit events of a user's actions."""
    found = await session.execute(
        select(AuditEvent).where(col(AuditEvent.actor_id) == user_id).order_by(col(AuditEvent.seq))
    )
    return list(found.scalars())


def format_timestamp(moment: datetime) -> str:
    """Format a moment as the hash chain contains it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
