"""Queries about users as accounts: making them, finding them before anyone is signed in, their own facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Text, bindparam, delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from rxchat.db.accounts.sessions import has_ended
from rxchat.db.platform.results import row_count
from rxchat.domain.accounts import CurrentUser, password_version
from rxchat.domain.email_addresses import email_spellings
from rxchat.domain.errors import NotSignedIn, ReauthenticationFailed
from rxchat.tables import Identity, User


@dataclass(frozen=True, slots=True)
class Account:
    """What signing in needs to know of an account."""

    id: UUID
    email: str
    name: str
    role: str
    password_hash: str | None
    is_suspended: bool
    is_confirmed: bool
    has_second_factor: bool
    password_changed_at: datetime | None

    @property
    def password_version(self) -> str:
        """Which of the account's passwords this is: see `rxchat.domain.accounts.password_version`."""
        return password_version(self.password_changed_at)


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
    if not created.scalar_one():
        return False
    await confirm_email(session, user_id)
    return True


_OF_ADDRESS = text(
    """
    SELECT found.* FROM unnest(:emails) WITH ORDINALITY AS spelling (email, number)
     CROSS JOIN LATERAL find_user_to_sign_in(spelling.email) AS found
     ORDER BY spelling.number LIMIT 1
    """
).bindparams(bindparam("emails", type_=ARRAY(Text())))


async def create(
    session: AsyncSession,
    user_id: UUID,
    *,
    email: str,
    name: str,
    role: str,
    password_hash: str | None,
    is_confirmed: bool,
    group_ids: Sequence[UUID] = (),
) -> bool:
    """Create an account; False when the address has one already, in whatever spelling."""
    if await find_by_email(session, email) is not None:
        return False
    created = await session.execute(
        text("SELECT create_account(:id, :email, :name, :role, :password_hash, :is_confirmed, :groups)"),
        {
            "id": user_id,
            "email": email,
            "name": name,
            "role": role,
            "password_hash": password_hash,
            "is_confirmed": is_confirmed,
            "groups": list(group_ids),
        },
    )
    return bool(created.scalar_one())


async def find_by_email(session: AsyncSession, email: str) -> Account | None:
    """Return the account that signs in with this address, whatever its case and spelling."""
    # One statement: it takes as long for an address without an account.
    row = (await session.execute(_OF_ADDRESS, {"emails": email_spellings(email)})).mappings().one_or_none()
    return Account(**row) if row else None


async def find_by_identity(session: AsyncSession, issuer: str, subject: str) -> Account | None:
    """Return the account that is tied to an account at a sign-in provider."""
    values = {"issuer": issuer, "subject": subject}
    return await _one(session, "SELECT * FROM find_user_by_identity(:issuer, :subject)", values)


async def _one(session: AsyncSession, statement: str, values: dict[str, Any]) -> Account | None:
    row = (await session.execute(text(statement), values)).mappings().one_or_none()
    return Account(**row) if row else None


async def get_own(session: AsyncSession, user_id: UUID) -> User | None:
    """Return the user's own account."""
    return (await session.execute(select(User).where(col(User.id) == user_id))).scalar_one_or_none()


async def set_name(session: AsyncSession, user_id: UUID, name: str) -> None:
    """Change the user's own name."""
    await session.execute(update(User).where(col(User.id) == user_id).values(name=name))


async def set_password_hash(session: AsyncSession, user_id: UUID, password_hash: str) -> None:
    """Replace the user's own password. Call after `lock_own` where something depends on the one before."""
    await session.execute(
        update(User).where(col(User.id) == user_id).values(password_hash=password_hash, password_changed_at=func.now())
    )


async def replace_password_hash(session: AsyncSession, user_id: UUID, outdated: str, password_hash: str) -> None:
    """Replace a hash by another one of the same password, unless the user has changed the password meanwhile."""
    await session.execute(
        update(User)
        .where(col(User.id) == user_id, col(User.password_hash) == outdated)
        .values(password_hash=password_hash)
    )


async def lock_own(session: AsyncSession, user_id: UUID, version: str | None = None) -> bool:
    """Lock the user's own account, so that its password stays as it is until the transaction ends.

    Returns False when there is no such account, when it is suspended, or when its password is not the one of `version`.
    """
    locked = await session.execute(
        select(col(User.password_changed_at), col(User.suspended_at))
        .where(col(User.id) == user_id)
        .with_for_update(key_share=True)
    )
    row = locked.one_or_none()
    return row is not None and row[1] is None and (version is None or password_version(row[0]) == version)


async def require_reauthenticated(session: AsyncSession, current_user: CurrentUser) -> None:
    """Check that what a user has just proved still counts in this transaction, and lock it until it ends.

    Call first in each transaction that does what takes a password: hashing takes longer than changing it elsewhere does.

    Raises:
        ReauthenticationFailed: when the password was changed meanwhile.
        NotSignedIn: when the session was ended meanwhile.
    """
    if not await lock_own(session, current_user.user_id, current_user.password_version):
        raise ReauthenticationFailed
    if await has_ended(session, current_user.user_id, current_user.session_id):
        raise NotSignedIn


async def confirm_email(session: AsyncSession, user_id: UUID) -> None:
    """Note that the user's address is theirs."""
    await session.execute(
        update(User)
        .where(col(User.id) == user_id, col(User.email_confirmed_at).is_(None))
        .values(email_confirmed_at=func.now())
    )


@dataclass(frozen=True, slots=True)
class AdminRead:
    """An administrator has listed or read conversations of the acting user."""

    at: datetime
    reader: str
    reason: str
    conversation: str


_ADMIN_READS = text("SELECT at, reader, reason, conversation FROM admin_read ORDER BY at DESC LIMIT :limit")


async def admin_reads(session: AsyncSession, limit: int) -> list[AdminRead]:
    """Return what administrators have listed or read of the acting user's conversations, the newest first."""
    return [AdminRead(*row) for row in await session.execute(_ADMIN_READS, {"limit": limit})]


async def mark_admin_reads_seen(session: AsyncSession, user_id: UUID) -> None:
    """Note that the user knows of them."""
    await session.execute(
        update(User).where(col(User.id) == user_id).values(admin_reads_seen_at=func.clock_timestamp())
    )


async def set_deletion(session: AsyncSession, user_id: UUID, at: datetime | None) -> None:
    """Note when the user's own account will be gone; None: it stays."""
    await session.execute(update(User).where(col(User.id) == user_id).values(deletion_at=at))


async def lock_administrators(session: AsyncSession) -> None:
    """Wait for whoever else changes who administers, as update_user_access does: one after another, somebody is left."""
    await session.execute(text("SELECT pg_advisory_xact_lock(7239002)"))


async def is_last_administrator(session: AsyncSession, user_id: UUID) -> bool:
    """Whether nobody would administer the installation without this user."""
    others = await session.execute(
        select(col(User.id)).where(
            col(User.role) == "admin",
            col(User.id) != user_id,
            col(User.suspended_at).is_(None),
            col(User.deletion_at).is_(None),
        )
    )
    return others.first() is None


async def identities(session: AsyncSession, user_id: UUID) -> list[Identity]:
    """Return the accounts elsewhere that the user signs in with."""
    found = await session.execute(select(Identity).where(col(Identity.user_id) == user_id).order_by(col(Identity.id)))
    return list(found.scalars())


async def add_identity(session: AsyncSession, identity: Identity) -> None:
    """Tie an account elsewhere to the user's own."""
    session.add(identity)
    await session.flush()


async def remove_identity(session: AsyncSession, user_id: UUID, identity_id: UUID) -> bool:
    """Untie it; False when there is none."""
    removed = await session.execute(
        delete(Identity).where(col(Identity.user_id) == user_id, col(Identity.id) == identity_id)
    )
    return row_count(removed) == 1


async def purge(session: AsyncSession) -> int:
    """Delete the accounts whose grace has run out, and what is of no use any more; return how many accounts."""
    # With somebody's account go all their chunks, perhaps a million.
    await session.execute(text("SET LOCAL statement_timeout = 0"))
    return (await session.execute(text("SELECT purge_accounts()"))).scalar_one()
