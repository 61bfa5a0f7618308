"""Rate limits in Postgres, for times when Redis does not respond."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


async def record_attempt(
    session: AsyncSession,
    keys: Sequence[str],
    free: Sequence[int],
    *,
    base_seconds: float,
    cap_seconds: float,
    forget_seconds: float,
) -> float:
    """Count an attempt under each key; return the seconds for which it is refused (and not counted), or 0."""
    waiting = await session.execute(
        text("SELECT record_attempt(:keys, :free, :base, :cap, :forget)"),
        {"keys": list(keys), "free": list(free), "base": base_seconds, "cap": cap_seconds, "forget": forget_seconds},
    )
    return float(waiting.scalar_one())


async def refund_attempts(session: AsyncSession, clean: Sequence[str], lessen: Sequence[str]) -> None:
    """Reset the attempts of the keys `clean`, and undo the last one of the keys `lessen`."""
    await session.execute(
        text("SELECT refund_attempts(:clean, :lessen)"), {"clean": list(clean), "lessen": list(lessen)}
    )
