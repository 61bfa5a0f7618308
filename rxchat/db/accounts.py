"""Queries about people and their sign-ins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.tables import User, UserSession

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportOptionalMemberAccess=false, reportCallIssue=false, reportGeneralTypeIssues=false


@dataclass(frozen=True, slots=True)
class Account:
    """What signing in needs to know of an account."""

    id: UUID
    email: str
    name: str
    role: str
    password_hash: str | None
    is_suspended: bool


async def has_accounts(session: AsyncSession) -> bool:
    """Whether anybody has an account yet."""
    return bool((await session.execute(text("SELECT has_accounts()"))).scalar_one())


async def create_first_administrator(
    session: AsyncSession, user_id: UUID, *, email: str, name: str, password_hash: str
) -> bool:
    """Create the first account; False when there is one already."""
    created = await session.execute(
        text("SELECT create_first_administrator(:id, :email, :name, :password_hash)"),
        {"id": user_id, "email": email, "name": name, "password_hash": password_hash},
    )
    return bool(created.scalar_one())


async def by_email(session: AsyncSession, email: str) -> Account | None:
    """Return the account that signs in with this address, whatever its case."""
    found = await session.execute(text("SELECT * FROM account_by_email(:email)"), {"email": email})
    row = found.mappings().one_or_none()
    return Account(**row) if row else None


async def set_password_hash(session: AsyncSession, user_id: UUID, password_hash: str) -> None:
    """Replace the person's own password hash."""
    await session.execute(update(User).where(User.id == user_id).values(password_hash=password_hash))


async def open_session(session: AsyncSession, row: UserSession) -> None:
    """Insert a sign-in."""
    session.add(row)
    await session.flush()


async def live_session(
    session: AsyncSession, user_id: UUID, session_id: UUID, idle: timedelta
) -> tuple[User, datetime] | None:
    """Return the person behind a sign-in that still counts and when it was last seen, or None."""
    found = await session.execute(
        select(User, UserSession.last_seen_at)
        .join(UserSession, UserSession.user_id == User.id)
        .where(
            User.id == user_id,
            User.suspended_at.is_(None),
            UserSession.id == session_id,
            UserSession.ended_at.is_(None),
            UserSession.expires_at > func.now(),
            UserSession.last_seen_at > func.now() - idle,
        )
    )
    row = found.one_or_none()
    return (row[0], row[1]) if row else None


async def touch_session(session: AsyncSession, user_id: UUID, session_id: UUID) -> None:
    """Note that a sign-in is in use."""
    await session.execute(
        update(UserSession)
        .where(UserSession.user_id == user_id, UserSession.id == session_id)
        .values(last_seen_at=func.now())
    )


async def end_session(session: AsyncSession, user_id: UUID, session_id: UUID) -> None:
    """End a sign-in for good."""
    await session.execute(
        update(UserSession)
        .where(UserSession.user_id == user_id, UserSession.id == session_id, UserSession.ended_at.is_(None))
        .values(ended_at=func.now())
    )
