"""Queries about requests with an Idempotency-Key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import bindparam

# A request that is a day old, or whose process died, is made again; but never another one in its place.
_CLAIM = text(
    """
    INSERT INTO idempotency_key AS known (owner_id, key, request_hash, lease_until)
    SELECT CAST(:owner AS uuid), CAST(:key AS varchar), CAST(:hash AS bytea), now() + CAST(:lease AS interval)
     WHERE (SELECT count(*) FROM idempotency_key WHERE owner_id = :owner) < :most
        OR EXISTS (SELECT FROM idempotency_key WHERE owner_id = :owner AND key = CAST(:key AS varchar))
    ON CONFLICT (owner_id, key) DO UPDATE
       SET request_hash = excluded.request_hash, lease_until = excluded.lease_until, created_at = now(),
           status = NULL, headers = '{}', body = NULL
     WHERE known.created_at < now() - interval '24 hours'
        OR (known.status IS NULL AND known.lease_until < now() AND known.request_hash = excluded.request_hash)
    RETURNING key
    """
)
_FIND = text("SELECT request_hash, status, headers, body FROM idempotency_key WHERE owner_id = :owner AND key = :key")
_RENEW = text(
    "UPDATE idempotency_key SET lease_until = now() + :lease WHERE owner_id = :owner AND key = :key AND status IS NULL"
)
_FINISH = text(
    """
    UPDATE idempotency_key SET status = :status, headers = :headers, body = :body
     WHERE owner_id = :owner AND key = :key AND status IS NULL
    """
).bindparams(bindparam("headers", type_=JSONB))
_RELEASE = text("DELETE FROM idempotency_key WHERE owner_id = :owner AND key = :key AND status IS NULL")
_PURGE = text("SELECT purge_idempotency_keys()")


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """A request that was made with a key, and its answer; no status while it is in progress."""

    request_hash: bytes
    status: int | None
    headers: dict[str, Any]
    body: bytes | None


async def claim(
    session: AsyncSession, owner_id: UUID, key: str, request_hash: bytes, *, lease_seconds: float, most: int
) -> bool:
    """Claim a key for a request; False if it has one, or the user has too many keys."""
    asked = {"owner": owner_id, "key": key, "hash": request_hash, "most": most}
    found = await session.execute(_CLAIM, asked | {"lease": timedelta(seconds=lease_seconds)})
    return found.scalar_one_or_none() is not None


async def find(session: AsyncSession, owner_id: UUID, key: str) -> KeptAnswer | None:
    """Return the request that was made with a key; None for none."""
    row = (await session.execute(_FIND, {"owner": owner_id, "key": key})).one_or_none()
    return KeptAnswer(row.request_hash, row.status, row.headers, row.body) if row else None


async def renew(session: AsyncSession, owner_id: UUID, key: str, lease_seconds: float) -> None:
    """Renew the lease of a request in progress."""
    await session.execute(_RENEW, {"owner": owner_id, "key": key, "lease": timedelta(seconds=lease_seconds)})


async def finish(
    session: AsyncSession, owner_id: UUID, key: str, status: int, headers: dict[str, str], body: bytes
) -> None:
    """Keep the answer of a request."""
    kept = {"owner": owner_id, "key": key, "status": status, "headers": headers, "body": body}
    await session.execute(_FINISH, kept)


async def release(session: AsyncSession, owner_id: UUID, key: str) -> None:
    """Forget a request without an answer, so that it can be made again."""
    await session.execute(_RELEASE, {"owner": owner_id, "key": key})


async def purge(session: AsyncSession) -> int:
    """Delete some answers of all users that were kept for a day; return their number."""
    return (await session.execute(_PURGE)).scalar_one()
