"""Queries about requests with an Idempotency-Key."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import bindparam

from rxchat.domain.idempotency import KeptAnswer, KeyClaim
from rxchat.domain.ids import new_id

# A request that is a day old, or whose process died, is made again; but never another one in its place.
_CLAIM = text(
    """
    INSERT INTO idempotency_key AS known (owner_id, key, request_hash, request_id, claim_id, lease_until)
    SELECT CAST(:owner AS uuid), CAST(:key AS varchar), CAST(:hash AS bytea), CAST(:claim AS uuid), CAST(:claim AS uuid),
           now() + CAST(:lease AS interval)
     WHERE (SELECT count(*) FROM idempotency_key WHERE owner_id = :owner) < :most
        OR EXISTS (SELECT FROM idempotency_key WHERE owner_id = :owner AND key = CAST(:key AS varchar))
    ON CONFLICT (owner_id, key) DO UPDATE
       SET request_hash = excluded.request_hash, claim_id = excluded.claim_id, lease_until = excluded.lease_until,
           request_id = CASE WHEN known.created_at < now() - interval '24 hours' THEN excluded.request_id
                             ELSE known.request_id END,
           created_at = now(), status = NULL, headers = '{}', body = NULL
     WHERE known.created_at < now() - interval '24 hours'
        OR (known.status IS NULL AND known.lease_until < now() AND known.request_hash = excluded.request_hash)
    RETURNING request_id
    """
)
_FIND = text("SELECT request_hash, status, headers, body FROM idempotency_key WHERE owner_id = :owner AND key = :key")
_RENEW = text(
    """
    UPDATE idempotency_key SET lease_until = now() + :lease
     WHERE owner_id = :owner AND key = :key AND claim_id = :claim AND status IS NULL
    """
)
_FINISH = text(
    """
    UPDATE idempotency_key SET status = :status, headers = :headers, body = :body
     WHERE owner_id = :owner AND key = :key AND claim_id = :claim AND status IS NULL
    """
).bindparams(bindparam("headers", type_=JSONB))
_RELEASE = text(
    "DELETE FROM idempotency_key WHERE owner_id = :owner AND key = :key AND claim_id = :claim AND status IS NULL"
)
_PURGE = text("SELECT purge_idempotency_keys()")


async def claim(
    session: AsyncSession, owner_id: UUID, key: str, request_hash: bytes, *, lease_seconds: float, most: int
) -> KeyClaim | None:
    """Claim a key for a request; None if it has one, or the user has too many keys."""
    claim_id = new_id()
    asked = {"owner": owner_id, "key": key, "hash": request_hash, "most": most, "claim": claim_id}
    found = await session.execute(_CLAIM, asked | {"lease": timedelta(seconds=lease_seconds)})
    request_id = found.scalar_one_or_none()
    return KeyClaim(owner_id, key, claim_id, request_id) if request_id else None


async def find(session: AsyncSession, owner_id: UUID, key: str) -> KeptAnswer | None:
    """Return the request that was made with a key; None for none."""
    row = (await session.execute(_FIND, {"owner": owner_id, "key": key})).one_or_none()
    return KeptAnswer(row.request_hash, row.status, row.headers, row.body) if row else None


async def renew(session: AsyncSession, claim: KeyClaim, lease_seconds: float) -> None:
    """Renew the lease of a request in progress."""
    await session.execute(_RENEW, claim.named | {"lease": timedelta(seconds=lease_seconds)})


async def finish(session: AsyncSession, claim: KeyClaim, status: int, headers: dict[str, str], body: bytes) -> None:
    """Keep the answer of a request, unless another process has claimed its key meanwhile."""
    await session.execute(_FINISH, claim.named | {"status": status, "headers": headers, "body": body})


async def release(session: AsyncSession, claim: KeyClaim) -> None:
    """Forget a request without an answer, so that it can be made again, unless another process makes it already."""
    await session.execute(_RELEASE, claim.named)


async def purge(session: AsyncSession) -> int:
    """Delete some answers of all users that were kept for a day; return their number."""
    return (await session.execute(_PURGE)).scalar_one()
