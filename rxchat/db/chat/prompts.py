"""Queries about prompts and their versions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from rxchat.db.platform.results import row_count
from rxchat.domain.ids import new_id
from rxchat.domain.prompts import PromptContent, PromptVersion
from rxchat.tables import PromptRow, PromptVersionRow

_TAKE_TURNS = text("SELECT pg_advisory_xact_lock(hashtextextended(:owner, 8))")
_LINE = [
    col(getattr(PromptRow, name))
    for name in ("owner_id", "id", "title", "command", "description", "version", "updated_at")
]


async def lock_library(session: AsyncSession, owner_id: UUID) -> None:
    """Lock the user's prompts until the transaction ends, so that their commands and their number are reliable."""
    await session.execute(_TAKE_TURNS, {"owner": str(owner_id)})


async def count(session: AsyncSession, owner_id: UUID) -> int:
    """Return the number of a user's prompts."""
    counted = select(func.count()).where(col(PromptRow.owner_id) == owner_id, col(PromptRow.deleted_at).is_(None))
    return (await session.execute(counted)).scalar_one()


async def stored_bytes(session: AsyncSession, owner_id: UUID) -> int:
    """Return how many bytes of text the versions of a user's prompts have, as far as the acting user may see them."""
    size = func.coalesce(func.sum(func.octet_length(col(PromptVersionRow.text))), 0)
    found = await session.execute(select(size).where(col(PromptVersionRow.owner_id) == owner_id))
    return int(found.scalar_one())


async def commands(session: AsyncSession, owner_id: UUID, other_than: UUID | None = None) -> set[str]:
    """Return the commands of a user's prompts, without that of one of them."""
    found = await session.execute(
        select(col(PromptRow.command)).where(
            col(PromptRow.owner_id) == owner_id,
            col(PromptRow.deleted_at).is_(None),
            col(PromptRow.id).is_distinct_from(other_than),
        )
    )
    return set(found.scalars())


async def readable(session: AsyncSession, user_id: UUID) -> list[PromptRow]:
    """Return the prompts that the acting user may read, their own first; without their texts, which are "" here."""
    found = await session.execute(
        select(*_LINE)
        .where(col(PromptRow.deleted_at).is_(None))
        .order_by(col(PromptRow.owner_id) != user_id, func.lower(col(PromptRow.title)), col(PromptRow.id))
    )
    return [PromptRow(**row, text="") for row in found.mappings()]


async def search(session: AsyncSession, user_id: UUID, words: str, limit: int) -> list[PromptRow]:
    """Return the readable prompts whose commands or titles contain the words; commands that begin with them come first."""
    words = words.lower()
    command, title = col(PromptRow.command), func.lower(col(PromptRow.title))
    found = await session.execute(
        select(PromptRow)
        .where(
            col(PromptRow.deleted_at).is_(None),
            or_(func.strpos(command, words) > 0, func.strpos(title, words) > 0),
        )
        .order_by(~func.starts_with(command, words), col(PromptRow.owner_id) != user_id, command, col(PromptRow.id))
        .limit(limit)
    )
    return list(found.scalars())


async def get(session: AsyncSession, prompt_id: UUID) -> PromptRow | None:
    """Return a prompt that the acting user may read."""
    found = await session.execute(
        select(PromptRow).where(col(PromptRow.id) == prompt_id, col(PromptRow.deleted_at).is_(None))
    )
    return found.scalars().first()


async def owned(
    session: AsyncSession, owner_id: UUID, prompt_id: UUID, *, is_deleted: bool = False
) -> PromptRow | None:
    """Return the user's own prompt; with `is_deleted`, one that is deleted and can be restored."""
    found = await session.execute(
        select(PromptRow).where(
            col(PromptRow.owner_id) == owner_id,
            col(PromptRow.id) == prompt_id,
            col(PromptRow.deleted_at).is_not(None) if is_deleted else col(PromptRow.deleted_at).is_(None),
        )
    )
    return found.scalar_one_or_none()


async def all_owned(session: AsyncSession, owner_id: UUID) -> list[PromptRow]:
    """Return all prompts of a user with their texts, deleted ones too."""
    found = await session.execute(
        select(PromptRow).where(col(PromptRow.owner_id) == owner_id).order_by(col(PromptRow.id))
    )
    return list(found.scalars())


async def deleted(session: AsyncSession, owner_id: UUID) -> list[tuple[UUID, str, datetime]]:
    """Return the user's deleted prompts (ID, title, and when), the latest first."""
    found = await session.execute(
        select(col(PromptRow.id), col(PromptRow.title), col(PromptRow.deleted_at))
        .where(col(PromptRow.owner_id) == owner_id, col(PromptRow.deleted_at).is_not(None))
        .order_by(col(PromptRow.deleted_at).desc(), col(PromptRow.id))
    )
    return [(row[0], row[1], at) for row in found.all() if (at := row[2]) is not None]


async def add(session: AsyncSession, owner_id: UUID, content: PromptContent) -> UUID:
    """Create a prompt with its first version, and return its ID."""
    prompt_id = new_id()
    await session.execute(insert(PromptRow).values(owner_id=owner_id, id=prompt_id, version=1, **_values(content)))
    await _add_version(session, owner_id, prompt_id, 1, content, owner_id, None)
    return prompt_id


async def change(
    session: AsyncSession, row: PromptRow, content: PromptContent, user_id: UUID, restored_from: int | None = None
) -> bool:
    """Change a prompt, and keep the change as a version; False if the row is no longer the newest version."""
    changed = await session.execute(
        update(PromptRow)
        .where(
            col(PromptRow.owner_id) == row.owner_id,
            col(PromptRow.id) == row.id,
            col(PromptRow.version) == row.version,
            col(PromptRow.deleted_at).is_(None),
        )
        .values(version=row.version + 1, updated_at=func.now(), **_values(content))
        .execution_options(synchronize_session=False)
    )
    if row_count(changed) != 1:
        return False
    await _add_version(session, row.owner_id, row.id, row.version + 1, content, user_id, restored_from)
    return True


async def set_deleted(session: AsyncSession, owner_id: UUID, prompt_id: UUID) -> bool:
    """Delete the user's own prompt, so that it can be restored; False if it does not exist."""
    changed = await session.execute(
        update(PromptRow)
        .where(col(PromptRow.owner_id) == owner_id, col(PromptRow.id) == prompt_id, col(PromptRow.deleted_at).is_(None))
        .values(deleted_at=func.now())
        .execution_options(synchronize_session=False)
    )
    return row_count(changed) == 1


async def set_restored(session: AsyncSession, row: PromptRow, command: str) -> None:
    """Restore a deleted prompt with a command that no other one of its owner has."""
    await session.execute(
        update(PromptRow)
        .where(col(PromptRow.owner_id) == row.owner_id, col(PromptRow.id) == row.id)
        .values(deleted_at=None, command=command)
        .execution_options(synchronize_session=False)
    )


async def remove_deleted(session: AsyncSession, owner_id: UUID, prompt_id: UUID) -> bool:
    """Delete the user's own deleted prompt permanently, with its versions; False if it does not exist."""
    removed = await session.execute(
        delete(PromptRow).where(
            col(PromptRow.owner_id) == owner_id, col(PromptRow.id) == prompt_id, col(PromptRow.deleted_at).is_not(None)
        )
    )
    return row_count(removed) == 1


async def versions(session: AsyncSession, row: PromptRow) -> list[PromptVersion]:
    """Return the versions of a prompt that the acting user may change, the newest first."""
    authors = await session.execute(text("SELECT user_id, name FROM prompt_authors(:id)"), {"id": row.id})
    names = {author.user_id: author.name for author in authors}
    found = await session.execute(_versions_of(row).order_by(col(PromptVersionRow.version).desc()))
    return [_version(item, names.get(item.changed_by, "")) for item in found.scalars()]


async def version(session: AsyncSession, row: PromptRow, number: int) -> PromptContent | None:
    """Return what a version of a prompt says, if the acting user may change the prompt."""
    found = await session.execute(_versions_of(row).where(col(PromptVersionRow.version) == number))
    item = found.scalar_one_or_none()
    return content_of(item) if item else None


async def purge(session: AsyncSession, after: timedelta) -> int:
    """Delete some prompts of all users permanently that were deleted longer ago than this; return their number."""
    return (await session.execute(text("SELECT purge_prompts(:after)"), {"after": after})).scalar_one()


def content_of(row: PromptRow | PromptVersionRow) -> PromptContent:
    """Return what a row says."""
    return PromptContent(row.title, row.command, row.text, row.description)


def ids(rows: Sequence[PromptRow]) -> list[str]:
    """Return the IDs of rows, as grants name them."""
    return [str(row.id) for row in rows]


def _versions_of(row: PromptRow) -> Select[PromptVersionRow]:
    return select(PromptVersionRow).where(
        col(PromptVersionRow.owner_id) == row.owner_id, col(PromptVersionRow.prompt_id) == row.id
    )


def _version(item: PromptVersionRow, name: str) -> PromptVersion:
    return PromptVersion(item.version, content_of(item), item.changed_at, name, item.restored_from)


def _values(content: PromptContent) -> dict[str, str]:
    return {
        "title": content.title,
        "command": content.command,
        "text": content.text,
        "description": content.description,
    }


async def _add_version(
    session: AsyncSession, owner_id: UUID, prompt_id: UUID, number: int, content: PromptContent, user_id: UUID,
    restored_from: int | None,
) -> None:  # fmt: skip
    await session.execute(
        insert(PromptVersionRow).values(
            owner_id=owner_id, prompt_id=prompt_id, version=number, changed_by=user_id, restored_from=restored_from,
            **_values(content),
        )
    )  # fmt: skip
