"""Queries about ratings of answers, for administrators; the procedures check their permission."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.domain.feedback import ModelRatings, Rating, ReceivedFeedback

_LIST = text("SELECT * FROM list_feedback(:before, :limit)")
_COUNT = text("SELECT * FROM count_feedback()")


async def received(session: AsyncSession, before: str, limit: int) -> list[ReceivedFeedback]:
    """Return ratings, newest first, from a point in time (ISO 8601, UTC) back; "" for now."""
    rows = await session.execute(_LIST, {"before": before, "limit": limit})
    return [
        ReceivedFeedback(
            str(row.id), datetime.fromisoformat(row.at), row.user_name, row.model, Rating(row.rating),
            tuple(row.reasons), row.comment,
        )
        for row in rows
    ]  # fmt: skip


async def by_model(session: AsyncSession) -> list[ModelRatings]:
    """Return the number of ratings of each model, most first."""
    return [ModelRatings(row.model, row.good, row.bad) for row in await session.execute(_COUNT)]
