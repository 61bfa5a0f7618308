"""Queries about accounts: creation, lookup before sign-in, and a user's own data."""

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
    """The data of an account that sign-in needs."""

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
        """The version of the account's password; see `rxchat.domain.accounts.password_version`."""
        return password_version(self.password_changed_at)


async def has_accounts(session: AsyncSession) -> bool:
    """Whether any account exists."""
    return bool((await session.execute(text("SELECT has_accounts()"))).scalar_one())


async def create_first_administrator(
    session: AsyncSession, user_id: UUID, *, email: str, name: str, password_hash: str
) -> bool:
    """Create the first account; False if one exists already."""
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
    """Create an account; False if the address has one already, in any spelling."""
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
    """Return the account with this address, in any case and spelling."""
    # One statement, so that addresses with and without an account take the same time.
    row = (await session.execute(_OF_ADDRESS, {"emails": email_spellings(email)})).mappings().one_or_none()
    return Account(**row) if row else None


async def find_by_identity(session: AsyncSession, issuer: str, subject: str) -> Account | None:
    """Return the account that is linked to an account at a sign-in provider."""
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
    """Replace the user's own password. Call after `lock_own` if the change depends on the old password."""
    await session.execute(
        update(User).where(col(User.id) == user_id).values(password_hash=password_hash, password_changed_at=func.now())
    )


async def replace_password_hash(session: AsyncSession, user_id: UUID, outdated: str, password_hash: str) -> None:
    """Replace a hash by a new one of the same password, unless the user has changed the password meanwhile."""
    await session.execute(
        update(User)
        .where(col(User.id) == user_id, col(User.password_hash) == outdated)
        .values(password_hash=password_hash)
    )


async def lock_own(session: AsyncSession, user_id: UUID, version: str | None = None) -> bool:
    """Lock the user's own account, so that no other transaction changes its password until this one ends.

    Returns False if the account does not exist or is suspended, or if its password is not that of `version`.
    """
    locked = await session.execute(
        select(col(User.password_changed_at), col(User.suspended_at))
        .where(col(User.id) == user_id)
        .with_for_update(key_share=True)
    )
    row = locked.one_or_none()
    return row is not None and row[1] is None and (version is None or password_version(row[0]) == version)


async def require_reauthenticated(session: AsyncSession, current_user: CurrentUser) -> None:
    """Check that a user's reauthentication is still valid in this transaction, and lock it until the end.

    Call first in each transaction that requires a password: the password can change elsewhere while it is hashed here.

    Raises:
        ReauthenticationFailed: when the password was changed meanwhile.
        NotSignedIn: when the session was ended meanwhile.
    """
    if not await lock_own(session, current_user.user_id, current_user.password_version):
        raise ReauthenticationFailed
    if await has_ended(session, current_user.user_id, current_user.session_id):
        raise NotSignedIn


async def confirm_email(session: AsyncSession, user_id: UUID) -> None:
    """Mark the user's address as confirmed."""
    await session.execute(
        update(User)
        .where(col(User.id) == user_id, col(User.email_confirmed_at).is_(None))
        .values(email_confirmed_at=func.now())
    )


@dataclass(frozen=True, slots=True)
class AdminRead:
    """An access of an administrator to the acting user's conversations."""

    at: datetime
    reader: str
    reason: str
    conversation: str


_ADMIN_READS = text("SELECT at, reader, reason, conversation FROM admin_read ORDER BY at DESC LIMIT :limit")


async def admin_reads(session: AsyncSession, limit: int) -> list[AdminRead]:
    """Return accesses of administrators to the acting user's conversations, the newest first."""
    return [AdminRead(*row) for row in await session.execute(_ADMIN_READS, {"limit": limit})]


async def mark_admin_reads_seen(session: AsyncSession, user_id: UUID) -> None:
    """Mark these accesses as seen by the user."""
    await session.execute(
        update(User).where(col(User.id) == user_id).values(admin_reads_seen_at=func.clock_timestamp())
    )


async def set_deletion(session: AsyncSession, user_id: UUID, at: datetime | None) -> None:
    """Schedule the deletion of the user's own account; None cancels it."""
    await session.execute(update(User).where(col(User.id) == user_id).values(deletion_at=at))


async def lock_administrators(session: AsyncSession) -> None:
    """Take the lock on changes of administrators, so that concurrent ones cannot remove the last one."""
    await session.execute(text("SELECT pg_advisory_xact_lock(7239002)"))


async def is_last_administrator(session: AsyncSession, user_id: UUID) -> bool:
    """Whether this user is the last administrator."""
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
    """Return the user's external accounts."""
    found = await session.execute(select(Identity).where(col(Identity.user_id) == user_id).order_by(col(Identity.id)))
    return list(found.scalars())


async def add_identity(session: AsyncSession, identity: Identity) -> None:
    """Link an external account to the user's own."""
    session.add(identity)
    await session.flush()


async def remove_identity(session: AsyncSession, user_id: UUID, identity_id: UUID) -> bool:
    """Unlink an external account; False if it does not exist."""
    removed = await session.execute(
        delete(Identity).where(col(Identity.user_id) == user_id, col(Identity.id) == identity_id)
    )
    return row_count(removed) == 1


async def purge(session: AsyncSession) -> int:
    """Delete accounts whose grace period has ended, and expired rows; return the number of accounts."""
    # Deleting an account deletes all of its chunks, perhaps a million.
    await session.execute(text("SET LOCAL statement_timeout = 0"))
    return (await session.execute(text("SELECT purge_accounts()"))).scalar_one()
