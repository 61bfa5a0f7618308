"""Queries about public links to conversations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from rxchat.db.platform.results import row_count
from rxchat.domain.public_links import PublicLink
from rxchat.tables import PublicLinkRow

_FIND = text("SELECT * FROM find_public_link(:hash)")


@dataclass(frozen=True, slots=True)
class FoundLink:
    """The snapshot behind a valid link, and the hash of its password."""

    id: UUID
    title: str
    messages: list[dict[str, Any]]
    password_hash: str | None
    created_at: datetime
    expires_at: datetime | None


async def add(session: AsyncSession, row: PublicLinkRow) -> None:
    """Store a link."""
    session.add(row)
    await session.flush()


async def of_owner(session: AsyncSession, owner_id: UUID, conversation_id: UUID | None = None) -> list[PublicLink]:
    """Return the user's links, those of one conversation if one is given, newest first."""
    links = PublicLinkRow
    columns: tuple[Any, ...] = (
        links.id,
        links.conversation_id,
        links.title,
        links.created_at,
        links.expires_at,
        links.password_hash,
    )
    asked = select(*map(col, columns)).where(col(links.owner_id) == owner_id).order_by(col(links.created_at).desc())
    if conversation_id is not None:
        asked = asked.where(col(links.conversation_id) == conversation_id)
    return [
        PublicLink(
            row.id, row.conversation_id, row.title, row.created_at, row.expires_at, row.password_hash is not None
        )
        for row in await session.execute(asked)
    ]


async def remove(session: AsyncSession, owner_id: UUID, link_id: UUID) -> bool:
    """Delete one of the user's links; False if there is none with this ID."""
    removed = await session.execute(
        delete(PublicLinkRow).where(col(PublicLinkRow.owner_id) == owner_id, col(PublicLinkRow.id) == link_id)
    )
    return row_count(removed) == 1


async def remove_expired(session: AsyncSession, owner_id: UUID) -> None:
    """Delete the user's links that have expired, with their snapshots."""
    await session.execute(
        delete(PublicLinkRow).where(
            col(PublicLinkRow.owner_id) == owner_id, col(PublicLinkRow.expires_at) <= func.now()
        )
    )


async def find(session: AsyncSession, digest: bytes) -> FoundLink | None:
    """Return what a valid link shows, by the hash of its token; for everyone who has the link."""
    row = (await session.execute(_FIND, {"hash": digest})).one_or_none()
    if row is None:
        return None
    return FoundLink(row.id, row.title, row.messages, row.password_hash, row.created_at, row.expires_at)
