"""Queries about runs and their chunks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Integer, Text, Uuid, bindparam, delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from rxchat.db.platform.notifications import notify
from rxchat.db.platform.results import row_count
from rxchat.db.platform.single_reads import Read
from rxchat.domain.runs import (
    ActiveRun,
    ClaimedRun,
    PartialAnswer,
    PendingChunk,
    RunChunk,
    RunLimits,
    RunState,
)
from rxchat.tables import Message, Run, RunChunkRow

_ACTIVE = (RunState.QUEUED, RunState.RUNNING)
_CLAIM = text("SELECT * FROM claim_runs(:engine, :lease, :room, :at_once, :per_person, :mine)").bindparams(
    bindparam("mine", type_=ARRAY(Uuid))
)
_RELEASE = text("SELECT release_runs(:engine)")
_RENEW = text("SELECT run_id, stop_requested FROM renew_run_leases(:engine, :runs, :lease)")
_APPEND = text("SELECT append_run_chunks(:engine, :runs, :fences, :seqs, :kinds, :starts, :texts)").bindparams(
    bindparam("runs", type_=ARRAY(Uuid)),
    bindparam("fences", type_=ARRAY(Integer)),
    bindparam("seqs", type_=ARRAY(Integer)),
    bindparam("kinds", type_=ARRAY(Text)),
    bindparam("starts", type_=ARRAY(Integer)),
    bindparam("texts", type_=ARRAY(Text)),
)
_ACTIVE_OF = text(
    """
    SELECT owner_id, id, conversation_id, message_id, model, created_at, NOT is_leased(state, lease_until) AS is_waiting
      FROM run WHERE owner_id = :owner AND conversation_id = :conversation AND state IN ('queued', 'running')
    """
)
_POSITION = text("SELECT position FROM queued_run WHERE id = :run")


async def claim(
    session: AsyncSession,
    engine_id: UUID,
    lease_seconds: float,
    room: int,
    limits: RunLimits,
    mine: Sequence[UUID] = (),
) -> list[ClaimedRun]:
    """Claim up to `room` queued runs for this engine, in fair order and within the limits.

    Does not claim `mine`, which the engine already runs: it renews their leases if they expired and no other engine has
    claimed them.
    """
    found = await session.execute(
        _CLAIM,
        {
            "engine": engine_id,
            "lease": timedelta(seconds=lease_seconds),
            "room": room,
            "at_once": limits.at_once,
            "per_person": limits.per_person,
            "mine": list(mine),
        },
    )
    return [ClaimedRun(**row) for row in found.mappings()]


async def renew_run_leases(
    session: AsyncSession, engine_id: UUID, run_ids: Sequence[UUID], lease_seconds: float
) -> dict[UUID, bool]:
    """Renew these leases; return the runs that are still leased, each with a flag for a requested stop."""
    found = await session.execute(
        _RENEW, {"engine": engine_id, "runs": list(run_ids), "lease": timedelta(seconds=lease_seconds)}
    )
    return {row.run_id: row.stop_requested for row in found}


async def release(session: AsyncSession, engine_id: UUID) -> int:
    """Release all runs of an engine, so that other engines claim them at once; return their number."""
    released = await session.execute(_RELEASE, {"engine": engine_id})
    return released.scalar_one()


def _held(run: ClaimedRun, engine_id: UUID) -> tuple[Any, ...]:
    return (
        col(Run.owner_id) == run.owner_id,
        col(Run.id) == run.id,
        col(Run.engine_id) == engine_id,
        col(Run.fence) == run.fence,
        col(Run.state) == RunState.RUNNING,
    )


async def append_chunks(session: AsyncSession, engine_id: UUID, pieces: Sequence[PendingChunk]) -> set[UUID]:
    """Store chunks of several answers; return the runs not leased to this engine, whose chunks are refused."""
    refused = await session.execute(
        _APPEND,
        {
            "engine": engine_id,
            "runs": [piece.run_id for piece in pieces],
            "fences": [piece.fence for piece in pieces],
            "seqs": [piece.seq for piece in pieces],
            "kinds": [piece.chunk.kind.value for piece in pieces],
            "starts": [piece.chunk.start for piece in pieces],
            "texts": [piece.chunk.text for piece in pieces],
        },
    )
    return set(refused.scalars())


async def chunks_after(
    session: AsyncSession, owner_id: UUID, run_id: UUID, after_seq: int = 0
) -> list[tuple[int, RunChunk]]:
    """Return the stored chunks after a seq, in order."""
    found = await session.execute(
        select(RunChunkRow)
        .where(
            col(RunChunkRow.owner_id) == owner_id, col(RunChunkRow.run_id) == run_id, col(RunChunkRow.seq) > after_seq
        )
        .order_by(col(RunChunkRow.seq))
    )
    return [(row.seq, RunChunk(row.kind, row.start, row.text)) for row in found.scalars()]


async def saved_prefix(session: AsyncSession, owner_id: UUID, run_id: UUID) -> PartialAnswer:
    """Return the content of the run's message before the run; empty for a new answer."""
    found = await session.execute(
        select(col(Message.text), col(Message.reasoning))
        .join(Run, (col(Run.owner_id) == col(Message.owner_id)) & (col(Run.message_id) == col(Message.id)))
        .where(col(Run.owner_id) == owner_id, col(Run.id) == run_id)
    )
    row = found.one_or_none()
    return PartialAnswer(row.text, row.reasoning) if row else PartialAnswer()


async def partial_answer(session: AsyncSession, owner_id: UUID, run_id: UUID) -> PartialAnswer:
    """Return the stored part of a run's answer: the message before the run, and the chunks since."""
    whole = await saved_prefix(session, owner_id, run_id)
    for seq, chunk in await chunks_after(session, owner_id, run_id):
        whole = whole.after(seq, chunk)
    return whole


async def finish(session: AsyncSession, run: ClaimedRun, engine_id: UUID, state: RunState) -> bool:
    """End a run and delete its chunks, which its message now contains; False if it is not leased to this engine."""
    ended = await session.execute(
        update(Run).where(*_held(run, engine_id)).values(state=state, finished_at=func.now(), lease_until=None)
    )
    if row_count(ended) != 1:
        return False
    await _drop_chunks(session, run.owner_id, run.id)
    return True


async def stop_waiting(session: AsyncSession, owner_id: UUID, run_id: UUID) -> bool:
    """End a queued run; False if an engine has claimed it."""
    ended = await session.execute(
        update(Run)
        .where(col(Run.owner_id) == owner_id, col(Run.id) == run_id, col(Run.state).in_(_ACTIVE))
        .where(~func.is_leased(col(Run.state), col(Run.lease_until)))
        .values(state=RunState.STOPPED, finished_at=func.now(), engine_id=None)
    )
    if row_count(ended) != 1:
        return False
    await _drop_chunks(session, owner_id, run_id)
    return True


async def _drop_chunks(session: AsyncSession, owner_id: UUID, run_id: UUID) -> None:
    await session.execute(
        delete(RunChunkRow).where(col(RunChunkRow.owner_id) == owner_id, col(RunChunkRow.run_id) == run_id)
    )


async def queue_position(read: Read, run_id: UUID) -> int:
    """Return the position of the acting user's run in the queue (1 is the next); 0 if it is not queued."""
    found = await read(_POSITION, {"run": run_id})
    return found[0].position if found else 0


async def active_run(session: AsyncSession, owner_id: UUID, conversation_id: UUID) -> ActiveRun | None:
    """Return the run that is queued or running in a conversation, or None."""
    found = await session.execute(_ACTIVE_OF, {"owner": owner_id, "conversation": conversation_id})
    row = found.mappings().one_or_none()
    return ActiveRun(**row) if row else None


async def is_active(session: AsyncSession, owner_id: UUID, run_id: UUID) -> bool:
    """Whether the run is still queued or running."""
    found = await session.execute(
        select(col(Run.id)).where(col(Run.owner_id) == owner_id, col(Run.id) == run_id, col(Run.state).in_(_ACTIVE))
    )
    return found.scalar_one_or_none() is not None


async def request_stop(session: AsyncSession, owner_id: UUID, run_id: UUID) -> None:
    """Request that an active run stops, and notify its engine when the transaction commits."""
    await session.execute(
        update(Run)
        .where(col(Run.owner_id) == owner_id, col(Run.id) == run_id, col(Run.state).in_(_ACTIVE))
        .values(stop_requested_at=func.now())
    )
    await notify(session, f"run stop {run_id}")


async def notify_host_active(session: AsyncSession, host: str) -> None:
    """Notify all engines that a model host is writing an answer."""
    await notify(session, f"host {host}")
