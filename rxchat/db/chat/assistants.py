"""Queries about assistants and their versions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from rxchat.db.platform.results import row_count
from rxchat.domain.assistants import AssistantContent, AssistantVersion
from rxchat.domain.ids import new_id
from rxchat.tables import AssistantRow, AssistantVersionRow

_TAKE_TURNS = text("SELECT pg_advisory_xact_lock(hashtextextended(:owner, 18))")


async def lock_all(session: AsyncSession, owner_id: UUID) -> None:
    """Lock the user's assistants until the transaction ends, so that their number is reliable."""
    await session.execute(_TAKE_TURNS, {"owner": str(owner_id)})


async def count(session: AsyncSession, owner_id: UUID) -> int:
    """Return the number of a user's assistants."""
    counted = select(func.count()).where(col(AssistantRow.owner_id) == owner_id, col(AssistantRow.deleted_at).is_(None))
    return (await session.execute(counted)).scalar_one()


async def readable(
    session: AsyncSession, *, after: tuple[str, UUID] | None = None, limit: int = 1_000
) -> list[AssistantRow]:
    """Return assistants that the acting user may read, by name; those after a name (in small letters) and an ID."""
    name = func.lower(col(AssistantRow.name))
    asked = select(AssistantRow).where(col(AssistantRow.deleted_at).is_(None))
    if after is not None:
        asked = asked.where(tuple_(name, col(AssistantRow.id)) > tuple_(*after))
    found = await session.execute(asked.order_by(name, col(AssistantRow.id)).limit(limit))
    return list(found.scalars())


async def get(session: AsyncSession, assistant_id: UUID) -> AssistantRow | None:
    """Return an assistant that the acting user may read."""
    found = await session.execute(
        select(AssistantRow).where(col(AssistantRow.id) == assistant_id, col(AssistantRow.deleted_at).is_(None))
    )
    return found.scalars().first()


async def owned(
    session: AsyncSession, owner_id: UUID, assistant_id: UUID, *, is_deleted: bool = False
) -> AssistantRow | None:
    """Return the user's own assistant; with `is_deleted`, one that is deleted and can be restored."""
    found = await session.execute(
        select(AssistantRow).where(
            col(AssistantRow.owner_id) == owner_id,
            col(AssistantRow.id) == assistant_id,
            col(AssistantRow.deleted_at).is_not(None) if is_deleted else col(AssistantRow.deleted_at).is_(None),
        )
    )
    return found.scalar_one_or_none()


async def all_owned(session: AsyncSession, owner_id: UUID) -> list[AssistantRow]:
    """Return all assistants of a user, deleted ones too."""
    found = await session.execute(
        select(AssistantRow).where(col(AssistantRow.owner_id) == owner_id).order_by(col(AssistantRow.id))
    )
    return list(found.scalars())


async def deleted(session: AsyncSession, owner_id: UUID) -> list[tuple[UUID, str, datetime]]:
    """Return the user's deleted assistants (ID, name, and when), the latest first."""
    found = await session.execute(
        select(col(AssistantRow.id), col(AssistantRow.name), col(AssistantRow.deleted_at))
        .where(col(AssistantRow.owner_id) == owner_id, col(AssistantRow.deleted_at).is_not(None))
        .order_by(col(AssistantRow.deleted_at).desc(), col(AssistantRow.id))
    )
    return [(row[0], row[1], at) for row in found.all() if (at := row[2]) is not None]


async def add(session: AsyncSession, owner_id: UUID, content: AssistantContent) -> UUID:
    """Create an assistant with its first version, and return its ID."""
    assistant_id = new_id()
    await session.execute(
        insert(AssistantRow).values(
            owner_id=owner_id, id=assistant_id, version=1, name=content.name, content=content.data
        )
    )
    await _add_version(session, owner_id, assistant_id, 1, content, owner_id, None)
    return assistant_id


async def change(
    session: AsyncSession,
    row: AssistantRow,
    content: AssistantContent,
    user_id: UUID,
    restored_from: int | None = None,
) -> bool:
    """Change an assistant, and keep the change as a version; False if the row is no longer the newest version."""
    changed = await session.execute(
        update(AssistantRow)
        .where(
            col(AssistantRow.owner_id) == row.owner_id,
            col(AssistantRow.id) == row.id,
            col(AssistantRow.version) == row.version,
            col(AssistantRow.deleted_at).is_(None),
        )
        .values(version=row.version + 1, updated_at=func.now(), name=content.name, content=content.data)
        .execution_options(synchronize_session=False)
    )
    if row_count(changed) != 1:
        return False
    await _add_version(session, row.owner_id, row.id, row.version + 1, content, user_id, restored_from)
    return True


async def set_deleted(session: AsyncSession, owner_id: UUID, assistant_id: UUID, *, is_deleted: bool) -> bool:
    """Delete the user's own assistant, so that it can be restored, or restore it; False if it is not there."""
    at = col(AssistantRow.deleted_at)
    changed = await session.execute(
        update(AssistantRow)
        .where(
            col(AssistantRow.owner_id) == owner_id,
            col(AssistantRow.id) == assistant_id,
            at.is_(None) if is_deleted else at.is_not(None),
        )
        .values(deleted_at=func.now() if is_deleted else None)
        .execution_options(synchronize_session=False)
    )
    return row_count(changed) == 1


async def remove_deleted(session: AsyncSession, owner_id: UUID, assistant_id: UUID) -> bool:
    """Delete the user's own deleted assistant permanently, with its versions; False if it does not exist."""
    removed = await session.execute(
        delete(AssistantRow).where(
            col(AssistantRow.owner_id) == owner_id,
            col(AssistantRow.id) == assistant_id,
            col(AssistantRow.deleted_at).is_not(None),
        )
    )
    return row_count(removed) == 1


async def versions(session: AsyncSession, row: AssistantRow) -> list[AssistantVersion]:
    """Return the versions of an assistant that the acting user may change, the newest first."""
    authors = await session.execute(text("SELECT user_id, name FROM assistant_authors(:id)"), {"id": row.id})
    names = {author.user_id: author.name for author in authors}
    found = await session.execute(_versions_of(row).order_by(col(AssistantVersionRow.version).desc()))
    return [
        AssistantVersion(
            item.version,
            AssistantContent.of(item.content),
            item.changed_at,
            names.get(item.changed_by, ""),
            item.restored_from,
        )
        for item in found.scalars()
    ]


async def version(session: AsyncSession, row: AssistantRow, number: int) -> AssistantContent | None:
    """Return what a version of an assistant says, if the acting user may change the assistant."""
    found = await session.execute(_versions_of(row).where(col(AssistantVersionRow.version) == number))
    item = found.scalar_one_or_none()
    return AssistantContent.of(item.content) if item else None


async def purge(session: AsyncSession, after: timedelta) -> int:
    """Delete some assistants of all users permanently that were deleted longer ago than this; return their number."""
    return (await session.execute(text("SELECT purge_assistants(:after)"), {"after": after})).scalar_one()


def ids(rows: Sequence[AssistantRow]) -> list[str]:
    """Return the IDs of rows, as grants name them."""
    return [str(row.id) for row in rows]


def _versions_of(row: AssistantRow):
    return select(AssistantVersionRow).where(
        col(AssistantVersionRow.owner_id) == row.owner_id, col(AssistantVersionRow.assistant_id) == row.id
    )


async def _add_version(
    session: AsyncSession, owner_id: UUID, assistant_id: UUID, number: int, content: AssistantContent, user_id: UUID,
    restored_from: int | None,
) -> None:  # fmt: skip
    await session.execute(
        insert(AssistantVersionRow).values(
            owner_id=owner_id, assistant_id=assistant_id, version=number, content=content.data, changed_by=user_id,
            restored_from=restored_from,
        )
    )  # fmt: skip
