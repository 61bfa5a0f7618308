"""Queries about runs and their chunks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.db.notifications import notify
from rxchat.domain.runs import ActiveRun, ChunkKind, ClaimedRun, RunChunk, RunState
from rxchat.tables import Run, RunChunkRow

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportCallIssue=false

_ACTIVE = (RunState.QUEUED.value, RunState.RUNNING.value)
_CLAIM = text("SELECT * FROM claim_run(:engine, :lease)")
_RENEW = text("SELECT run_id, stop_requested FROM renew_run_leases(:engine, :runs, :lease)")
_APPEND = text(
    """
    INSERT INTO run_chunk (owner_id, run_id, seq, kind, start, text)
    SELECT run.owner_id, run.id, :seq, :kind, :start, :text FROM run
     WHERE run.owner_id = :owner AND run.id = :run AND run.engine_id = :engine AND run.state = 'running'
        -- The database may have kept a chunk and died before it said so; the one that is sent again only holds more.
        ON CONFLICT (owner_id, run_id, seq) DO UPDATE
       SET kind = EXCLUDED.kind, start = EXCLUDED.start, text = EXCLUDED.text
    """
)


async def add(session: AsyncSession, run: Run) -> None:
    """Queue a run and wake the engines when the transaction commits."""
    session.add(run)
    await session.flush()
    await notify(session, "run queued")


async def claim(session: AsyncSession, engine_id: UUID, lease_seconds: float) -> ClaimedRun | None:
    """Take the oldest waiting run for this engine, or return None."""
    found = await session.execute(_CLAIM, {"engine": engine_id, "lease": timedelta(seconds=lease_seconds)})
    row = found.mappings().one_or_none()
    return ClaimedRun(**row) if row else None


async def renew_leases(
    session: AsyncSession, engine_id: UUID, run_ids: Sequence[UUID], lease_seconds: float
) -> dict[UUID, bool]:
    """Renew these leases; return the runs that are still held, each with whether a stop was asked for."""
    found = await session.execute(
        _RENEW, {"engine": engine_id, "runs": list(run_ids), "lease": timedelta(seconds=lease_seconds)}
    )
    return {row.run_id: row.stop_requested for row in found}


async def release(session: AsyncSession, owner_id: UUID, run_id: UUID, engine_id: UUID) -> None:
    """Give a run back unfinished, so that the next engine takes it up at once; this does not count as an attempt."""
    await session.execute(
        update(Run)
        .where(Run.owner_id == owner_id, Run.id == run_id, Run.engine_id == engine_id, Run.state == "running")
        .values(state="queued", engine_id=None, lease_until=None, attempt=func.greatest(Run.attempt - 1, 0))
    )
    await notify(session, "run queued")


async def append_chunk(
    session: AsyncSession, owner_id: UUID, run_id: UUID, engine_id: UUID, seq: int, chunk: RunChunk
) -> bool:
    """Store a piece of the answer; False when the run is no longer this engine's."""
    stored = await session.execute(
        _APPEND,
        {
            "owner": owner_id,
            "run": run_id,
            "engine": engine_id,
            "seq": seq,
            "kind": chunk.kind.value,
            "start": chunk.start,
            "text": chunk.text,
        },
    )
    return stored.rowcount == 1


async def chunks_of(
    session: AsyncSession, owner_id: UUID, run_id: UUID, after_seq: int = 0
) -> list[tuple[int, RunChunk]]:
    """Return the stored pieces after a seq, in order."""
    found = await session.execute(
        select(RunChunkRow)
        .where(RunChunkRow.owner_id == owner_id, RunChunkRow.run_id == run_id, RunChunkRow.seq > after_seq)
        .order_by(RunChunkRow.seq)
    )
    return [(row.seq, RunChunk(ChunkKind(row.kind), row.start, row.text)) for row in found.scalars()]


async def finish(session: AsyncSession, owner_id: UUID, run_id: UUID, engine_id: UUID, state: RunState) -> bool:
    """End a run and drop its chunks (its message holds the whole); False when it is no longer this engine's."""
    ended = await session.execute(
        update(Run)
        .where(Run.owner_id == owner_id, Run.id == run_id, Run.engine_id == engine_id, Run.state == "running")
        .values(state=state.value, finished_at=func.now(), lease_until=None)
    )
    if ended.rowcount != 1:
        return False
    await session.execute(delete(RunChunkRow).where(RunChunkRow.owner_id == owner_id, RunChunkRow.run_id == run_id))
    return True


async def active_of(session: AsyncSession, owner_id: UUID, conversation_id: UUID) -> ActiveRun | None:
    """Return the run that is queued or running in a conversation, or None."""
    found = await session.execute(
        select(Run).where(Run.owner_id == owner_id, Run.conversation_id == conversation_id, Run.state.in_(_ACTIVE))
    )
    row = found.scalar_one_or_none()
    if row is None:
        return None
    return ActiveRun(row.owner_id, row.id, row.conversation_id, row.message_id, row.model, row.created_at)


async def is_active(session: AsyncSession, owner_id: UUID, run_id: UUID) -> bool:
    """Whether the run is still queued or running."""
    found = await session.execute(
        select(Run.id).where(Run.owner_id == owner_id, Run.id == run_id, Run.state.in_(_ACTIVE))
    )
    return found.scalar_one_or_none() is not None


async def request_stop(session: AsyncSession, owner_id: UUID, conversation_id: UUID) -> UUID | None:
    """Ask for the conversation's active run to stop, and tell its engine when the transaction commits."""
    found = await session.execute(
        update(Run)
        .where(Run.owner_id == owner_id, Run.conversation_id == conversation_id, Run.state.in_(_ACTIVE))
        .values(stop_requested_at=func.now())
        .returning(Run.id)
    )
    run_id = found.scalar_one_or_none()
    if run_id is not None:
        await notify(session, f"run stop {run_id}")
    return run_id
