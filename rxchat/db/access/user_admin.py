"""Queries about other users for administrators, whose permission row-level security checks again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from rxchat.tables import Group, GroupMember, Passkey, TotpSecret, User, UserSession


@dataclass(frozen=True, slots=True)
class UserFacts:
    """A user, with the fields that administrators see."""

    id: UUID
    name: str
    email: str
    role: str
    created_at: datetime
    suspended_at: datetime | None
    deletion_at: datetime | None
    deletion_by: UUID | None
    """The administrator who scheduled the deletion; None: the user."""
    has_second_factor: bool
    last_seen_at: datetime | None


async def page(
    session: AsyncSession, *, words: str = "", role: str = "", only: UUID | None = None, offset: int = 0, limit: int = 1
) -> tuple[list[UserFacts], int]:
    """Return users whose name or address contains the words, by name, and the total number."""
    conditions = [] if only is None else [col(User.id) == only]
    if words:
        pattern = "%" + words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        conditions.append(or_(col(User.name).ilike(pattern), col(User.email).ilike(pattern)))
    if role:
        conditions.append(col(User.role) == role)
    seen = (
        select(func.max(col(UserSession.last_seen_at)))
        .where(col(UserSession.user_id) == col(User.id))
        .correlate(User)
        .scalar_subquery()
    )
    has_totp = select(col(TotpSecret.user_id)).where(
        col(TotpSecret.user_id) == col(User.id), col(TotpSecret.confirmed_at).is_not(None)
    )
    has_passkey = select(col(Passkey.user_id)).where(col(Passkey.user_id) == col(User.id))
    found = await session.execute(
        select(
            col(User.id),
            col(User.name),
            col(User.email),
            col(User.role),
            col(User.created_at),
            col(User.suspended_at),
            col(User.deletion_at),
            col(User.deletion_by),
            or_(has_totp.exists(), has_passkey.exists()),
            seen,
        )
        .where(*conditions)
        .order_by(func.lower(col(User.name)), col(User.id))
        .offset(offset)
        .limit(limit)
    )
    counted = await session.execute(select(func.count()).select_from(User).where(*conditions))
    return [UserFacts(*row) for row in found.all()], counted.scalar_one()


async def names(session: AsyncSession, user_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the names of those users whom the acting user may see."""
    found = await session.execute(select(col(User.id), col(User.name)).where(col(User.id).in_(user_ids)))
    return {row[0]: row[1] for row in found.all()}


async def get(session: AsyncSession, user_id: UUID) -> User | None:
    """Return a user whom the acting user may see."""
    return (await session.execute(select(User).where(col(User.id) == user_id))).scalar_one_or_none()


async def change(session: AsyncSession, user_id: UUID, *, role: str | None, is_suspended: bool | None) -> bool:
    """Change a user's role, or suspend or reinstate them; False if the user does not exist."""
    changed = await session.execute(
        text("SELECT update_user_access(:user, :role, :suspended)"),
        {"user": user_id, "role": role, "suspended": is_suspended},
    )
    return bool(changed.scalar_one())


async def schedule_deletion(session: AsyncSession, user_id: UUID, at: datetime | None) -> bool:
    """Schedule or cancel (None) the deletion of a user's account; False if nothing changes."""
    changed = await session.execute(
        text("SELECT schedule_account_deletion(:user, CAST(:at AS timestamptz))"), {"user": user_id, "at": at}
    )
    return bool(changed.scalar_one())


async def reset_second_factors(session: AsyncSession, user_id: UUID) -> bool:
    """Delete a user's second factors; False if the user does not exist."""
    reset = await session.execute(text("SELECT reset_second_factors(:user)"), {"user": user_id})
    return bool(reset.scalar_one())


async def groups_of(session: AsyncSession, user_id: UUID) -> list[Group]:
    """Return the groups of which a user is a member."""
    found = await session.execute(
        select(Group)
        .join(GroupMember, col(GroupMember.group_id) == col(Group.id))
        .where(col(GroupMember.user_id) == user_id)
        .order_by(func.lower(col(Group.name)))
    )
    return list(found.scalars())


async def admin_list_conversations(
    session: AsyncSession, owner_id: UUID, reason: str, address: str, correlation_id: str, entry_id: UUID
) -> list[tuple[UUID, str, datetime]]:
    """Return a user's conversations, and record the reason in the audit log."""
    found = await session.execute(
        text(
            "SELECT id, title, updated_at FROM admin_list_conversations(:owner, :reason, :address, :correlation, :entry)"
        ),
        {"owner": owner_id, "reason": reason, "address": address, "correlation": correlation_id, "entry": entry_id},
    )
    return [(row.id, row.title, row.updated_at) for row in found.all()]


async def admin_read_conversation(
    session: AsyncSession, conversation_id: UUID, reason: str, address: str, correlation_id: str, entry_id: UUID
) -> list[tuple[str, str, str, datetime]]:
    """Return the messages of a user's conversation, and record the reason in the audit log."""
    found = await session.execute(
        text(
            "SELECT role, text, model, created_at"
            " FROM admin_read_conversation(:conversation, :reason, :address, :correlation, :entry)"
        ),
        {
            "conversation": conversation_id,
            "reason": reason,
            "address": address,
            "correlation": correlation_id,
            "entry": entry_id,
        },
    )
    return [(row.role, row.text, row.model, row.created_at) for row in found.all()]
