"""Queries about background jobs, which are queued in the transaction that makes them necessary."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

INGEST = "ingest"
SEND_MAIL = "send mail"
MAIL_QUEUE = "mail"
DOCUMENTS_QUEUE = "documents"
QUICK_QUEUE = "quick"
"""Small files, which take about a second: in a separate queue, they do not wait for large files of any user."""
SMALL_BYTES = 1_000_000
"""The largest file of that queue."""
SCANS_QUEUE = "scans"
"""Scans, whose recognition takes minutes: in a separate queue, they delay no other documents."""

_MOST_COUNTED = 1_000
LAST_PRIORITY = -_MOST_COUNTED
"""The priority of the last of a user's many documents, and of a document after many attempts."""
_MOST_URGENT = 5
"""The number of one user's attached documents that are ingested before all others."""
_URGENT = 2 * _MOST_COUNTED

# The same statement as procrastinate's `defer`, but within the caller's transaction, so that both commit or none.
_DEFER = text(
    """
    SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(
        CAST(:queue AS varchar), CAST(:task AS varchar), CAST(:priority AS integer), CAST(:lock AS text), NULL::text,
        jsonb_build_object('owner_id', CAST(:owner AS text), 'document_id', CAST(:document AS text)), NULL::timestamptz
    )::procrastinate_job_to_defer_v1])
    """
)


_WAITING = text(
    """
    SELECT (SELECT count(*) FROM (
                SELECT FROM document WHERE owner_id = :owner AND state NOT IN ('ready', 'failed', 'uploading') LIMIT :most
            ) AS waiting) AS waiting,
           (SELECT count(*) FROM (
                SELECT FROM document JOIN collection
                    ON collection.owner_id = document.owner_id AND collection.id = document.collection_id
                 WHERE document.owner_id = :owner AND collection.kind = 'attachments'
                   AND document.state NOT IN ('ready', 'failed', 'uploading') LIMIT :most
            ) AS attached) AS attached,
           EXISTS (SELECT FROM document JOIN collection
                       ON collection.owner_id = document.owner_id AND collection.id = document.collection_id
                    WHERE document.owner_id = :owner AND document.id = :document AND collection.kind = 'attachments'
           ) AS is_attached,
           EXISTS (SELECT FROM document
                    WHERE owner_id = :owner AND id = :document AND size_bytes <= :small AND media_type NOT LIKE 'image/%'
           ) AS is_small
    """
)


async def enqueue_ingestion(
    session: AsyncSession,
    owner_id: UUID,
    document_id: UUID,
    *,
    priority: int = 0,
    queue: str = "",
    is_urgent: bool = True,
) -> None:
    """Queue the ingestion of a document when this transaction commits; each document runs one job at a time.

    `claim_job` goes round-robin between owners, and the priority orders the jobs of one owner: the more are queued, the
    lower is the priority of the next one. A few files attached to a message come first, since their user waits for the
    answer. Without a queue, the document's size selects it.
    """
    given = {"owner": owner_id, "document": document_id, "most": _MOST_COUNTED, "small": SMALL_BYTES}
    row = (await session.execute(_WAITING, given)).one()
    queue = queue or (QUICK_QUEUE if row.is_small else DOCUMENTS_QUEUE)
    is_first = is_urgent and row.is_attached and row.attached <= _MOST_URGENT
    priority += (_URGENT if is_first else 0) - row.waiting
    await session.execute(
        _DEFER,
        {
            "queue": queue,
            "task": INGEST,
            "priority": priority,
            "lock": f"document {document_id}",
            "owner": str(owner_id),
            "document": str(document_id),
        },
    )


# For psycopg: procrastinate uses its own connection, and needs these columns.
CLAIM = """
    SELECT id, status, task_name, priority, lock, queueing_lock, args, scheduled_at, queue_name, attempts, worker_id
      FROM claim_job(%(queues)s::varchar[], %(worker_id)s::bigint, %(most)s::integer)
"""
"""Claim the next job of the next owner below the limit of running jobs; returns NULLs if there is none."""


_DEFER_MAIL = text(
    """
    SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(
        CAST(:queue AS varchar), CAST(:task AS varchar), 0, NULL::text, NULL::text,
        jsonb_build_object('sealed', CAST(:sealed AS text)), NULL::timestamptz
    )::procrastinate_job_to_defer_v1])
    """
)


async def enqueue_mail(session: AsyncSession, sealed: str) -> None:
    """Queue an encrypted mail when this transaction commits."""
    await session.execute(_DEFER_MAIL, {"queue": MAIL_QUEUE, "task": SEND_MAIL, "sealed": sealed})


_QUEUED_MAILS = text(
    "SELECT count(*) FROM procrastinate_jobs WHERE queue_name = :queue AND status IN ('todo', 'doing')"
)


async def count_mails(session: AsyncSession) -> int:
    """Return the number of queued mails."""
    return (await session.execute(_QUEUED_MAILS, {"queue": MAIL_QUEUE})).scalar_one()


# The condition on jobs has the form of an index (alembic/versions/0001/jobs.sql).
_WITHOUT_JOB = text(
    """
    SELECT owner_id, id FROM unfinished_document
     WHERE updated_at < now() - interval '30 seconds'
       AND NOT EXISTS (SELECT FROM procrastinate_jobs AS job
                        WHERE CASE WHEN job.status IN ('todo', 'doing') THEN job.lock END = 'document ' || unfinished_document.id)
     ORDER BY updated_at LIMIT :limit
    """
)


async def documents_without_job(session: AsyncSession, limit: int) -> list[tuple[UUID, UUID]]:
    """Return owners and IDs of unfinished documents without a job."""
    found = await session.execute(_WITHOUT_JOB, {"limit": limit})
    return [(row.owner_id, row.id) for row in found]


# Here and below in the form of an index (`claim_job`), so that the plan does not depend on statistics.
# A document may have been postponed after the caller found it.
_IS_QUEUED = text(
    """
    SELECT EXISTS (SELECT FROM procrastinate_jobs WHERE CASE WHEN status IN ('todo', 'doing') THEN lock END = :lock)
        OR EXISTS (SELECT FROM document
                    WHERE owner_id = :owner AND id = :document AND state IN ('ready', 'failed') AND retry_at > now())
    """
)


# In two halves, since "<>" cannot use an index: an owner may have ten thousand queued jobs.
_OTHER_OWNERS = text(
    """
    SELECT EXISTS (SELECT FROM procrastinate_jobs
                    WHERE CASE WHEN status = 'todo' THEN queue_name END = :queue AND args ->> 'owner_id' < :owner
                      AND (scheduled_at IS NULL OR scheduled_at <= now()))
        OR EXISTS (SELECT FROM procrastinate_jobs
                    WHERE CASE WHEN status = 'todo' THEN queue_name END = :queue AND args ->> 'owner_id' > :owner
                      AND (scheduled_at IS NULL OR scheduled_at <= now()))
    """
)


async def other_owners_wait(session: AsyncSession, owner_id: UUID, *, queue: str) -> bool:
    """Return whether documents of other owners wait in a queue."""
    return (await session.execute(_OTHER_OWNERS, {"queue": queue, "owner": str(owner_id)})).scalar_one()


async def enqueue_ingestion_once(
    session: AsyncSession, owner_id: UUID, document_id: UUID, *, priority: int = 0
) -> bool:
    """Queue the ingestion of a document unless it is queued already."""
    facts = {"lock": f"document {document_id}", "owner": owner_id, "document": document_id}
    queued = await session.execute(_IS_QUEUED, facts)
    if queued.scalar_one():
        return False
    # No user waits for it.
    await enqueue_ingestion(session, owner_id, document_id, priority=priority, queue=DOCUMENTS_QUEUE)
    return True
