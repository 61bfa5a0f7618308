"""Queries about links that work once: invitations, password resets, confirmations of addresses."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import LargeBinary, delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import bindparam
from sqlmodel import col

from rxchat.db.platform.results import row_count
from rxchat.domain.email_addresses import canonical_email, email_spellings
from rxchat.tables import AccountToken


@dataclass(frozen=True, slots=True)
class Link:
    """A valid link, and what it is for."""

    id: UUID
    user_id: UUID | None
    email: str
    role: str
    group_ids: tuple[str, ...]
    is_mailed: bool
    created_by: UUID | None


async def add(session: AsyncSession, link: AccountToken) -> None:
    """Insert a link, as a hash."""
    session.add(link)
    await session.flush()


async def find(session: AsyncSession, kind: str, digest: bytes) -> Link | None:
    """Return a link if it is valid."""
    return await _one(session, "SELECT * FROM find_account_token(:kind, :hash)", kind, digest)


async def consume(session: AsyncSession, kind: str, digest: bytes) -> Link | None:
    """Consume a link and return it; None if it is not valid."""
    return await _one(session, "SELECT * FROM consume_account_token(:kind, :hash)", kind, digest)


async def consume_invitation(session: AsyncSession, email: str) -> Link | None:
    """Consume the open invitation of an address that the user has confirmed; None if there is none."""
    for spelling in email_spellings(email):
        spent = await session.execute(text("SELECT * FROM consume_invitation(:email)"), {"email": spelling})
        if found := spent.mappings().one_or_none():
            return Link(**{**found, "group_ids": tuple(found["group_ids"])})
    return None


async def replace_invitations(session: AsyncSession, email: str) -> int:
    """Revoke the open invitations of an address, sent by any user; return their number."""
    count = 0
    # Always in this order, so that two transactions that invite the same address cannot deadlock.
    for spelling in email_spellings(canonical_email(email)):
        replaced = await session.execute(text("SELECT replace_invitations(:email)"), {"email": spelling})
        count += replaced.scalar_one()
    return count


async def _one(session: AsyncSession, statement: str, kind: str, digest: bytes) -> Link | None:
    bound = text(statement).bindparams(bindparam("hash", type_=LargeBinary))
    row = (await session.execute(bound, {"kind": kind, "hash": digest})).mappings().one_or_none()
    return Link(**{**row, "group_ids": tuple(row["group_ids"])}) if row else None


async def open_invitations(session: AsyncSession) -> list[AccountToken]:
    """Return the invitations that can still be accepted, the newest first."""
    found = await session.execute(
        select(AccountToken)
        .where(
            col(AccountToken.kind) == "invitation",
            col(AccountToken.used_at).is_(None),
            col(AccountToken.expires_at) > func.now(),
        )
        .order_by(col(AccountToken.id).desc())
    )
    return list(found.scalars())


async def remove(session: AsyncSession, kind: str, link_id: UUID) -> bool:
    """Revoke a link; False if it does not exist."""
    removed = await session.execute(
        delete(AccountToken).where(
            col(AccountToken.kind) == kind, col(AccountToken.id) == link_id, col(AccountToken.used_at).is_(None)
        )
    )
    return row_count(removed) == 1


async def lock_all_for_user(session: AsyncSession, kind: str, user_id: UUID) -> None:
    """Lock a user's links of a kind: wait for other transactions that create or delete them."""
    key = f"rxchat link {kind} {user_id}"
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtext(:key))"), {"key": key})


async def remove_all_for_user(session: AsyncSession, kind: str, user_id: UUID) -> None:
    """Revoke all links of a kind for a user, which a newer one replaces."""
    await session.execute(
        delete(AccountToken).where(
            col(AccountToken.kind) == kind, col(AccountToken.user_id) == user_id, col(AccountToken.used_at).is_(None)
        )
    )
