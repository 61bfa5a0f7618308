"""Queries about credentials: authenticator apps, recovery codes, passkeys, API keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import LargeBinary, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import bindparam
from sqlmodel import col

from rxchat.db.platform.results import row_count
from rxchat.tables import ApiKey, Passkey, RecoveryCode, TotpSecret


async def totp(session: AsyncSession, user_id: UUID) -> TotpSecret | None:
    """Return the user's authenticator secret, confirmed or not."""
    return (await session.execute(select(TotpSecret).where(col(TotpSecret.user_id) == user_id))).scalar_one_or_none()


async def begin_totp(session: AsyncSession, user_id: UUID, encrypted_secret: bytes) -> bool:
    """Store an unconfirmed secret in place of another unconfirmed one; False if a confirmed one exists."""
    statement = insert(TotpSecret).values(user_id=user_id, encrypted_secret=encrypted_secret)
    kept = await session.execute(
        statement.on_conflict_do_update(
            index_elements=["user_id"],
            set_={"encrypted_secret": encrypted_secret, "created_at": func.now()},
            where=col(TotpSecret.confirmed_at).is_(None),
        ).returning(col(TotpSecret.user_id))
    )
    return kept.scalar_one_or_none() is not None


async def use_totp_step(session: AsyncSession, user_id: UUID, step: int) -> bool:
    """Consume a time step, and confirm the secret if necessary; False if it or a later one was used before."""
    used = await session.execute(
        update(TotpSecret)
        .where(col(TotpSecret.user_id) == user_id, col(TotpSecret.last_step) < step)
        .values(last_step=step, confirmed_at=func.coalesce(col(TotpSecret.confirmed_at), func.now()))
    )
    return row_count(used) == 1


async def remove_totp(session: AsyncSession, user_id: UUID) -> bool:
    """Delete the secret; False if it does not exist."""
    return row_count(await session.execute(delete(TotpSecret).where(col(TotpSecret.user_id) == user_id))) == 1


async def remove_unconfirmed_totp(session: AsyncSession, user_id: UUID) -> None:
    """Delete an unconfirmed secret."""
    await session.execute(
        delete(TotpSecret).where(col(TotpSecret.user_id) == user_id, col(TotpSecret.confirmed_at).is_(None))
    )


async def replace_recovery_codes(session: AsyncSession, user_id: UUID, digests: Sequence[bytes]) -> None:
    """Replace all of the user's codes."""
    await session.execute(delete(RecoveryCode).where(col(RecoveryCode.user_id) == user_id))
    session.add_all(RecoveryCode(user_id=user_id, hash=digest) for digest in digests)
    await session.flush()


async def use_recovery_code(session: AsyncSession, user_id: UUID, digest: bytes) -> bool:
    """Consume a code; False if it is invalid or was used before."""
    used = await session.execute(
        update(RecoveryCode)
        .where(
            col(RecoveryCode.user_id) == user_id, col(RecoveryCode.hash) == digest, col(RecoveryCode.used_at).is_(None)
        )
        .values(used_at=func.now())
    )
    return row_count(used) == 1


async def recovery_codes_left(session: AsyncSession, user_id: UUID) -> int:
    """Return the number of unused codes."""
    left = await session.execute(
        select(func.count())
        .select_from(RecoveryCode)
        .where(col(RecoveryCode.user_id) == user_id, col(RecoveryCode.used_at).is_(None))
    )
    return left.scalar_one()


@dataclass(frozen=True, slots=True)
class FoundPasskey:
    """A passkey and its owner."""

    user_id: UUID
    passkey_id: UUID
    public_key: bytes
    sign_count: int
    email: str


async def find_passkey(session: AsyncSession, credential_id: bytes) -> FoundPasskey | None:
    """Return the passkey with this ID, of any user."""
    statement = text("SELECT * FROM find_user_by_passkey(:id)").bindparams(bindparam("id", type_=LargeBinary))
    row = (await session.execute(statement, {"id": credential_id})).mappings().one_or_none()
    return FoundPasskey(**row) if row else None


async def passkeys(session: AsyncSession, user_id: UUID) -> list[Passkey]:
    """Return the user's passkeys, the oldest first."""
    found = await session.execute(select(Passkey).where(col(Passkey.user_id) == user_id).order_by(col(Passkey.id)))
    return list(found.scalars())


async def add_passkey(session: AsyncSession, passkey: Passkey) -> None:
    """Insert a passkey."""
    session.add(passkey)
    await session.flush()


async def use_passkey(session: AsyncSession, user_id: UUID, passkey_id: UUID, sign_count: int) -> None:
    """Record the use of a passkey, and its authenticator's signature counter."""
    await session.execute(
        update(Passkey)
        .where(col(Passkey.user_id) == user_id, col(Passkey.id) == passkey_id)
        .values(sign_count=sign_count, last_used_at=func.now())
    )


async def remove_passkey(session: AsyncSession, user_id: UUID, passkey_id: UUID) -> bool:
    """Delete a passkey; False if it does not exist."""
    removed = await session.execute(
        delete(Passkey).where(col(Passkey.user_id) == user_id, col(Passkey.id) == passkey_id)
    )
    return row_count(removed) == 1


async def keys(session: AsyncSession, user_id: UUID) -> list[ApiKey]:
    """Return the user's API keys that are not revoked, the newest first."""
    found = await session.execute(
        select(ApiKey)
        .where(col(ApiKey.user_id) == user_id, col(ApiKey.revoked_at).is_(None))
        .order_by(col(ApiKey.id).desc())
    )
    return list(found.scalars())


async def add_key(session: AsyncSession, key: ApiKey) -> None:
    """Insert an API key, as a hash."""
    session.add(key)
    await session.flush()


async def revoke_key(session: AsyncSession, user_id: UUID, key_id: UUID) -> bool:
    """Revoke a key permanently; False if it does not exist or is not valid."""
    revoked = await session.execute(
        update(ApiKey)
        .where(col(ApiKey.user_id) == user_id, col(ApiKey.id) == key_id, col(ApiKey.revoked_at).is_(None))
        .values(revoked_at=func.now())
    )
    return row_count(revoked) == 1
