"""Queries about sign-ins: on browsers, by programs, and by API keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import LargeBinary, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import bindparam
from sqlmodel import col

from rxchat.db.platform.results import row_count
from rxchat.tables import ApiKey, UserSession


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """Who is behind a sign-in, as the tables have it now."""

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
    """Insert a sign-in."""
    session.add(row)
    await session.flush()


async def load(session: AsyncSession, user_id: UUID, session_id: UUID, idle: timedelta) -> SessionRecord | None:
    """Return who is behind a sign-in that still counts, or None."""
    found = await session.execute(
        text("SELECT * FROM load_session(:user, :session, :idle)"),
        {"user": user_id, "session": session_id, "idle": idle},
    )
    row = found.mappings().one_or_none()
    return _behind(row, last_used_at=row["last_seen_at"]) if row else None


_ENDING = text(
    """
    SELECT CASE WHEN ended_at IS NOT NULL THEN ended_reason
                WHEN expires_at < now() OR last_seen_at < now() - CAST(:idle AS interval) THEN 'expired' ELSE '' END
      FROM user_session WHERE user_id = :user AND (id = :session OR previous_id = :session)
    """
)


async def end_reason(session: AsyncSession, user_id: UUID, session_id: UUID, idle: timedelta) -> str:
    """Return why a sign-in does not count any more, as it was written down; "" when that is not known."""
    found = await session.execute(_ENDING, {"user": user_id, "session": session_id, "idle": idle})
    return found.scalar_one_or_none() or ""


async def has_ended(session: AsyncSession, user_id: UUID, session_id: UUID) -> bool:
    """Whether a session was ended, under this id or one that it has had since."""
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


async def load_by_api_key(session: AsyncSession, digest: bytes) -> SessionRecord | None:
    """Return who is behind an API key that counts, or None."""
    statement = text("SELECT * FROM find_user_by_api_key(:hash)").bindparams(bindparam("hash", type_=LargeBinary))
    row = (await session.execute(statement, {"hash": digest})).mappings().one_or_none()
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
    """Note that a sign-in is in use, and from where."""
    values: dict[str, Any] = {"last_seen_at": func.now()} | ({"address": address[:100]} if address else {})
    await session.execute(
        update(UserSession)
        .where(col(UserSession.user_id) == user_id, col(UserSession.id) == session_id)
        .values(**values)
    )


async def touch_key(session: AsyncSession, user_id: UUID, key_id: UUID) -> None:
    """Note that an API key is in use."""
    await session.execute(
        update(ApiKey).where(col(ApiKey.user_id) == user_id, col(ApiKey.id) == key_id).values(last_used_at=func.now())
    )


async def record_second_factor(session: AsyncSession, user_id: UUID, session_id: UUID) -> None:
    """Note that a second factor was shown in a sign-in."""
    await session.execute(
        update(UserSession)
        .where(col(UserSession.user_id) == user_id, col(UserSession.id) == session_id)
        .values(second_factor_at=func.now())
    )
    await rotate_soon(session, user_id, session_id)


async def rotate(
    session: AsyncSession, user_id: UUID, session_id: UUID, new_id: UUID, after: timedelta
) -> datetime | None:
    """Give a browser's sign-in another id if it has had this one for so long; return when the sign-in ends at last."""
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
    """Have a sign-in's id rotated with the next page, however new it is."""
    await session.execute(
        update(UserSession)
        .where(col(UserSession.user_id) == user_id, col(UserSession.id) == session_id)
        .values(rotated_at=datetime(1970, 1, 1, tzinfo=UTC))
    )


async def end(
    session: AsyncSession, user_id: UUID, *, only: UUID | None = None, but: UUID | None = None, reason: str
) -> int:
    """End sign-ins of a user permanently: one, all, or all but one; return how many."""
    ended = await session.execute(
        text("SELECT end_sessions(:user, :only, :but, :reason)"),
        {"user": user_id, "only": only, "but": but, "reason": reason},
    )
    return ended.scalar_one()


async def active(session: AsyncSession, user_id: UUID, idle: timedelta) -> list[UserSession]:
    """Return a user's sign-ins that still count, the one used last first."""
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
    """Whether this browser has signed this user in before."""
    found = await session.execute(
        select(col(UserSession.id))
        .where(col(UserSession.user_id) == user_id, col(UserSession.device_id) == device_id)
        .limit(1)
    )
    return found.scalar_one_or_none() is not None


async def exchange_refresh(
    session: AsyncSession, user_id: UUID, session_id: UUID, generation: int, idle: timedelta
) -> int | None:
    """Exchange a refresh token for the next one: its generation, None when it is over, -1 when it was stolen."""
    exchanged = await session.execute(
        text("SELECT exchange_refresh_token(:user, :session, :generation, :idle)"),
        {"user": user_id, "session": session_id, "generation": generation, "idle": idle},
    )
    return exchanged.scalar_one()


async def consume_token(session: AsyncSession, token_id: UUID, until: datetime) -> bool:
    """Whether something that works once is used for the first time."""
    spent = await session.execute(text("SELECT consume_token(:id, :until)"), {"id": token_id, "until": until})
    return spent.scalar_one()


async def revoke_keys(session: AsyncSession, user_id: UUID) -> int:
    """Revoke all of the user's own API keys; return how many."""
    revoked = await session.execute(
        update(ApiKey)
        .where(col(ApiKey.user_id) == user_id, col(ApiKey.revoked_at).is_(None))
        .values(revoked_at=func.now())
    )
    return row_count(revoked)
