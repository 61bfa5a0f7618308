"""Queries about imports of conversations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Interval, Text, Uuid, delete, func, select, text
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import bindparam
from sqlmodel import col

from rxchat.db.platform.results import row_count
from rxchat.domain.imports.conversation import ImportSource
from rxchat.domain.imports.report import REPORTED, ImportedItem, ImportReport, ImportState, SkippedItem
from rxchat.tables import ConversationImport, ImportedConversationRow

_KEPT = 10
"""How many imports a user's list has."""
_BEGIN = text(
    """
    INSERT INTO conversation_import (owner_id, id, file_name, state, lease_until)
    SELECT :owner, :import, :file_name, 'running', now() + :lease
     WHERE NOT EXISTS (SELECT FROM conversation_import AS other
                        WHERE other.owner_id = :owner AND other.state = 'running' AND other.lease_until > now())
    RETURNING id
    """
).bindparams(
    bindparam("owner", type_=Uuid),
    bindparam("import", type_=Uuid),
    bindparam("file_name", type_=Text),
    bindparam("lease", type_=Interval()),
)
_ADVANCE = text(
    f"""
    UPDATE conversation_import
       SET found = found + :found, imported = imported + :imported, skipped = skipped + :skipped,
           imported_items = CASE WHEN jsonb_array_length(imported_items) < {REPORTED}
                                 THEN imported_items || :imported_items ELSE imported_items END,
           skipped_items = CASE WHEN jsonb_array_length(skipped_items) < {REPORTED}
                                THEN skipped_items || :skipped_items ELSE skipped_items END,
           lease_until = now() + :lease
     WHERE owner_id = :owner AND id = :import AND state = 'running'
    """  # noqa: S608 - put together from constants
).bindparams(
    bindparam("owner", type_=Uuid),
    bindparam("import", type_=Uuid),
    bindparam("imported_items", type_=JSONB),
    bindparam("skipped_items", type_=JSONB),
    bindparam("lease", type_=Interval()),
)
_END = text(
    """
    UPDATE conversation_import SET state = :state, error = :error, finished_at = now()
     WHERE owner_id = :owner AND id = :import AND state = 'running'
    """
).bindparams(bindparam("owner", type_=Uuid), bindparam("import", type_=Uuid))


async def begin(session: AsyncSession, owner_id: UUID, import_id: UUID, file_name: str, lease: timedelta) -> bool:
    """Insert an import that runs; False while another one of the user does. Only the last ones are kept."""
    # Two uploads that end at once: the second one waits for the first, and sees it.
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('conversation_import ' || :owner, 0))"),
        {"owner": str(owner_id)},
    )
    begun = await session.execute(
        _BEGIN, {"owner": owner_id, "import": import_id, "file_name": file_name, "lease": lease}
    )
    if begun.scalar_one_or_none() is None:
        return False
    kept = (
        select(col(ConversationImport.id))
        .where(col(ConversationImport.owner_id) == owner_id)
        .order_by(col(ConversationImport.created_at).desc(), col(ConversationImport.id).desc())
        .limit(_KEPT)
    )
    await session.execute(
        delete(ConversationImport).where(
            col(ConversationImport.owner_id) == owner_id, col(ConversationImport.id).not_in(kept)
        )
    )
    return True


async def advance(
    session: AsyncSession,
    owner_id: UUID,
    import_id: UUID,
    lease: timedelta,
    *,
    found: int = 0,
    imported: Sequence[ImportedItem] = (),
    skipped: Sequence[SkippedItem] = (),
) -> bool:
    """Add to an import's numbers and report, and renew its lease; False when it is not running any more."""
    changed = await session.execute(
        _ADVANCE,
        {
            "owner": owner_id,
            "import": import_id,
            "found": found,
            "imported": len(imported),
            "skipped": len(skipped),
            "imported_items": [{**asdict(item), "id": str(item.id)} for item in imported],
            "skipped_items": [asdict(item) for item in skipped],
            "lease": lease,
        },
    )
    return row_count(changed) == 1


async def end(session: AsyncSession, owner_id: UUID, import_id: UUID, state: ImportState, error: str = "") -> None:
    """End an import; nothing happens if it has ended."""
    await session.execute(_END, {"owner": owner_id, "import": import_id, "state": state.value, "error": error})


async def latest(session: AsyncSession, owner_id: UUID) -> list[ImportReport]:
    """Return the user's last imports, the newest first."""
    found = await session.execute(
        select(ConversationImport, (col(ConversationImport.lease_until) < func.now()).label("is_lost"))
        .where(col(ConversationImport.owner_id) == owner_id)
        .order_by(col(ConversationImport.created_at).desc(), col(ConversationImport.id).desc())
    )
    return [_report(row, is_lost=is_lost) for row, is_lost in found]


async def get(session: AsyncSession, owner_id: UUID, import_id: UUID) -> ImportReport | None:
    """Return one of the user's imports, or None."""
    return next((item for item in await latest(session, owner_id) if item.id == import_id), None)


def _report(row: ConversationImport, *, is_lost: bool) -> ImportReport:
    state = ImportState.INTERRUPTED if row.state is ImportState.RUNNING and is_lost else row.state
    imported = [ImportedItem(**_with_id(item)) for item in row.imported_items]
    return ImportReport(
        id=row.id,
        file_name=row.file_name,
        state=state,
        found=row.found,
        imported=row.imported,
        skipped=row.skipped,
        imported_items=imported,
        skipped_items=[SkippedItem(**item) for item in row.skipped_items],
        error=row.error,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )


def _with_id(item: dict[str, Any]) -> dict[str, Any]:
    return {**item, "id": UUID(item["id"])}


async def imported_as(session: AsyncSession, owner_id: UUID, source: ImportSource, external_id: str) -> UUID | None:
    """Return the conversation that this one of another system was imported as; None if it was not."""
    found = await session.execute(
        select(col(ImportedConversationRow.conversation_id)).where(
            col(ImportedConversationRow.owner_id) == owner_id,
            col(ImportedConversationRow.source) == source,
            col(ImportedConversationRow.external_id) == external_id,
        )
    )
    return found.scalar_one_or_none()


async def remember(
    session: AsyncSession, owner_id: UUID, source: ImportSource, external_id: str, conversation_id: UUID
) -> None:
    """Store what a conversation was imported from.

    Raises:
        Conflict: if it was imported meanwhile (mapped at the end of the transaction).
    """
    await session.execute(
        insert(ImportedConversationRow).values(
            owner_id=owner_id, source=source, external_id=external_id, conversation_id=conversation_id
        )
    )
