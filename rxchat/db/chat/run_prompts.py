"""Queries about what models were sent for runs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.db.platform.single_reads import Read
from rxchat.domain.prompt_records import KEPT_IN_CONVERSATION, unpacked
from rxchat.domain.runs import ClaimedRun

_ADD = text(
    """
    INSERT INTO run_prompt (owner_id, run_id, conversation_id, message_id, content)
    VALUES (:owner, :run, :conversation, :message, :content) ON CONFLICT (owner_id, run_id) DO NOTHING
    """
)
_KEEP = text(
    """
    DELETE FROM run_prompt WHERE owner_id = :owner AND conversation_id = :conversation AND created_at < (
        SELECT created_at FROM run_prompt WHERE owner_id = :owner AND conversation_id = :conversation
         ORDER BY created_at DESC OFFSET :kept LIMIT 1)
    """
)
_OF = """
    SELECT kept.run_id, kept.message_id, kept.content
      FROM run_prompt AS kept
      JOIN conversation ON conversation.owner_id = kept.owner_id AND conversation.id = kept.conversation_id
     WHERE kept.owner_id = :owner AND conversation.deleted_at IS NULL
"""
_OF_RUN = text(f"{_OF} AND kept.run_id = :run")
_OF_MESSAGE = text(
    f"{_OF} AND kept.conversation_id = :conversation AND kept.message_id = :message ORDER BY kept.created_at DESC LIMIT 1"
)


async def add(session: AsyncSession, run: ClaimedRun, content: bytes) -> None:
    """Store the record of a run, as `packed` has made it, and delete the oldest ones of its conversation."""
    key = {"owner": run.owner_id, "conversation": run.conversation_id}
    await session.execute(_ADD, key | {"run": run.id, "message": run.message_id, "content": content})
    await session.execute(_KEEP, key | {"kept": KEPT_IN_CONVERSATION - 1})


async def of_run(read: Read, owner_id: UUID, run_id: UUID) -> tuple[UUID, dict[str, Any]] | None:
    """Return the answer of one of the user's runs, and the record; None if there is none."""
    found = await read(_OF_RUN, {"owner": owner_id, "run": run_id})
    return (found[0].message_id, unpacked(found[0].content)) if found else None


async def of_message(
    read: Read, owner_id: UUID, conversation_id: UUID, message_id: UUID
) -> tuple[UUID, dict[str, Any]] | None:
    """Return the last run of an answer that has a record, and the record; None if there is none."""
    found = await read(_OF_MESSAGE, {"owner": owner_id, "conversation": conversation_id, "message": message_id})
    return (found[0].run_id, unpacked(found[0].content)) if found else None
