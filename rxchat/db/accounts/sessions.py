"""Queries about sessions of browsers and API clients, and about API keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from rxchat.db.platform.results import row_count
from rxchat.db.platform.single_reads import Read
from rxchat.tables import ApiKey, UserSession


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """The user of a session or API key, with their current permissions."""

    name: str
    email: str
    role: str
    permissions: tuple[str, ...]
    groups: tuple[UUID, ...]
    has_second_factor: bool
    scopes: tuple[str, ...] | None
    last_used_at: datetime | None
    second_factor_at: datetime | None = None
    kind: str = "key"
    user_id: UUID | None = None
    key_id: UUID | None = None
    session_id: UUID | None = None
    password_changed_at: datetime | None = None


async def add(session: AsyncSession, row: UserSession) -> None:
    """Insert a session."""
    session.add(row)
    await session.flush()


_LOAD = text("SELECT * FROM load_session(:user, :session, :idle)")


async def load(read: Read, user_id: UUID, session_id: UUID, idle: timedelta) -> SessionRecord | None:
    """Return the user of a valid session, or None."""
    found = await read(_LOAD, {"user": user_id, "session": session_id, "idle": idle})
    row = found[0]._asdict() if found else None
    return _behind(row, last_used_at=row["last_seen_at"]) if row else None


_ENDING = text(
    """
    SELECT CASE WHEN ended_at IS NOT NULL THEN ended_reason
                WHEN expires_at < now() OR last_seen_at < now() - CAST(:idle AS interval) THEN 'expired' ELSE '' END
      FROM user_session WHERE user_id = :user AND (id = :session OR previous_id = :session)
    """
)


async def end_reason(session: AsyncSession, user_id: UUID, session_id: UUID, idle: timedelta) -> str:
    """Return the recorded reason for the end of a session; "" if it is not known."""
    found = await session.execute(_ENDING, {"user": user_id, "session": session_id, "idle": idle})
    return found.scalar_one_or_none() or ""


async def has_ended(session: AsyncSession, user_id: UUID, session_id: UUID) -> bool:
    """Whether a session was ended, under this ID or a rotated one."""
    found = await session.execute(
        select(col(UserSession.id))
        .where(
            col(UserSession.user_id) == user_id,
            or_(col(UserSession.id) == session_id, col(UserSession.previous_id) == session_id),
            col(UserSession.ended_at).is_not(None),
        )
        .limit(1)
    )
    return found.scalar_one_or_none() is not None


_BY_API_KEY = text("SELECT * FROM find_user_by_api_key(:hash)")


async def load_by_api_key(read: Read, digest: bytes) -> SessionRecord | None:
    """Return the user of a valid API key, or None."""
    found = await read(_BY_API_KEY, {"hash": digest})
    row = found[0]._asdict() if found else None
    return _behind(row, last_used_at=row["last_used_at"]) if row else None


def _behind(row: Any, last_used_at: datetime | None) -> SessionRecord:
    return SessionRecord(
        name=row["name"],
        email=row["email"],
        role=row["role"],
        permissions=tuple(row["permissions"]),
        groups=tuple(row["groups"]),
        has_second_factor=row["has_second_factor"],
        scopes=None if row["scopes"] is None else tuple(row["scopes"]),
        last_used_at=last_used_at,
        second_factor_at=row.get("second_factor_at"),
        kind=row.get("kind", "key"),
        user_id=row.get("user_id"),
        key_id=row.get("key_id"),
        session_id=row.get("session_id"),
        password_changed_at=row.get("password_changed_at"),
    )


async def touch_session(session: AsyncSession, user_id: UUID, session_id: UUID, address: str = "") -> None:
    """Record the use of a session, and the client's address."""
    values: dict[str, Any] = {"last_seen_at": func.now()} | ({"address": address[:100]} if address else {})
    await session.execute(
        update(UserSession)
        .where(col(UserSession.user_id) == user_id, col(UserSession.id) == session_id)
        .values(**values)
    )


async def touch_key(session: AsyncSession, user_id: UUID, key_id: UUID) -> None:
    """Record the use of an API key."""
    await session.execute(
        update(ApiKey).where(col(ApiKey.user_id) == user_id, col(ApiKey.id) == key_id).values(last_used_at=func.now())
    )


async def record_second_factor(session: AsyncSession, user_id: UUID, session_id: UUID) -> None:
    """Record that a second factor was verified in a session."""
    await session.execute(
        update(UserSession)
        .where(col(UserSession.user_id) == user_id, col(UserSession.id) == session_id)
        .values(second_factor_at=func.now())
    )
    await rotate_soon(session, user_id, session_id)


async def rotate(
    session: AsyncSession, user_id: UUID, session_id: UUID, new_id: UUID, after: timedelta
) -> datetime | None:
    """Rotate a session's ID if it is older than `after`; return when the session expires, or None."""
    rotated = await session.execute(
        update(UserSession)
        .where(
            col(UserSession.user_id) == user_id,
            col(UserSession.id) == session_id,
            col(UserSession.kind) == "browser",
            col(UserSession.ended_at).is_(None),
            col(UserSession.rotated_at) < func.now() - after,
        )
        .values(id=new_id, previous_id=session_id, rotated_at=func.now())
        .returning(col(UserSession.expires_at))
    )
    return rotated.scalar_one_or_none()


async def rotate_soon(session: AsyncSession, user_id: UUID, session_id: UUID) -> None:
    """Make a session's ID due for rotation at the next page."""
    await session.execute(
        update(UserSession)
        .where(col(UserSession.user_id) == user_id, col(UserSession.id) == session_id)
        .values(rotated_at=datetime(1970, 1, 1, tzinfo=UTC))
    )


async def end(
    session: AsyncSession, user_id: UUID, *, only: UUID | None = None, but: UUID | None = None, reason: str
) -> int:
    """End sessions of a user permanently: one, all, or all but one; return their number."""
    ended = await session.execute(
        text("SELECT end_sessions(:user, :only, :but, :reason)"),
        {"user": user_id, "only": only, "but": but, "reason": reason},
    )
    return ended.scalar_one()


async def active(session: AsyncSession, user_id: UUID, idle: timedelta) -> list[UserSession]:
    """Return a user's valid sessions, the last used one first."""
    found = await session.execute(
        select(UserSession)
        .where(
            col(UserSession.user_id) == user_id,
            col(UserSession.ended_at).is_(None),
            col(UserSession.expires_at) > func.now(),
            col(UserSession.last_seen_at) > func.now() - idle,
        )
        .order_by(col(UserSession.last_seen_at).desc())
    )
    return list(found.scalars())


async def is_known_device(session: AsyncSession, user_id: UUID, device_id: UUID) -> bool:
    """Whether this user has signed in with this browser before."""
    found = await session.execute(
        select(col(UserSession.id))
        .where(col(UserSession.user_id) == user_id, col(UserSession.device_id) == device_id)
        .limit(1)
    )
    return found.scalar_one_or_none() is not None


async def exchange_refresh(
    session: AsyncSession, user_id: UUID, session_id: UUID, generation: int, idle: timedelta
) -> int | None:
    """Exchange a refresh token; return the new generation, None if the session has ended, -1 if it was reused."""
    exchanged = await session.execute(
        text("SELECT exchange_refresh_token(:user, :session, :generation, :idle)"),
        {"user": user_id, "session": session_id, "generation": generation, "idle": idle},
    )
    return exchanged.scalar_one()


async def consume_token(session: AsyncSession, token_id: UUID, until: datetime) -> bool:
    """Consume a one-time token; returns whether this is its first use."""
    spent = await session.execute(text("SELECT consume_token(:id, :until)"), {"id": token_id, "until": until})
    return spent.scalar_one()


async def revoke_keys(session: AsyncSession, user_id: UUID) -> int:
    """Revoke all of the user's own API keys; return their number."""
    revoked = await session.execute(
        update(ApiKey)
        .where(col(ApiKey.user_id) == user_id, col(ApiKey.revoked_at).is_(None))
        .values(revoked_at=func.now())
    )
    return row_count(revoked)
