"""Queries about background jobs: they are queued in the transaction that makes them necessary."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

INGEST = "ingest"
SEND_MAIL = "send mail"
MAIL_QUEUE = "mail"
DOCUMENTS_QUEUE = "documents"
QUICK_QUEUE = "quick"
"""Small files, which take a second or so: in a queue of their own they wait for no large ones, whosever those are."""
SMALL_BYTES = 1_000_000
"""How large a file of that queue may be."""
SCANS_QUEUE = "scans"
"""Documents whose text is recognized, which takes minutes: in a queue of their own they keep no other waiting."""

_MOST_COUNTED = 1_000
LAST_PRIORITY = -_MOST_COUNTED
"""That of the last of somebody's many documents, and of one that has had many turns."""
_MOST_URGENT = 5
"""How many attached documents of one user are ingested before all others."""
_URGENT = 2 * _MOST_COUNTED

# As procrastinate's own `defer` does it; but within our transaction, so that there is never one without the other.
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
    """Have a document brought on its way to being found, when this transaction commits; one job at a time for each.

    Places go round between owners (`claim_job`), and the priority puts those of one owner in order: the more of them wait,
    the later is the next one. Files attached to a message come first, if they are few: their user waits for the answer.
    Without a queue, the document's size decides which it is.
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


# For psycopg: procrastinate asks with a connection of its own, and wants these columns.
CLAIM = """
    SELECT id, status, task_name, priority, lock, queueing_lock, args, scheduled_at, queue_name, attempts, worker_id
      FROM claim_job(%(queues)s::varchar[], %(worker_id)s::bigint, %(most)s::integer)
"""
"""Claim the next owner's next job, of those who have fewer than so many running at this worker; NULLs: there is none."""


_DEFER_MAIL = text(
    """
    SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(
        CAST(:queue AS varchar), CAST(:task AS varchar), 0, NULL::text, NULL::text,
        jsonb_build_object('sealed', CAST(:sealed AS text)), NULL::timestamptz
    )::procrastinate_job_to_defer_v1])
    """
)


async def enqueue_mail(session: AsyncSession, sealed: str) -> None:
    """Have a sealed mail sent when this transaction commits."""
    await session.execute(_DEFER_MAIL, {"queue": MAIL_QUEUE, "task": SEND_MAIL, "sealed": sealed})


_QUEUED_MAILS = text(
    "SELECT count(*) FROM procrastinate_jobs WHERE queue_name = :queue AND status IN ('todo', 'doing')"
)


async def count_mails(session: AsyncSession) -> int:
    """Return how many mails wait to be sent."""
    return (await session.execute(_QUEUED_MAILS, {"queue": MAIL_QUEUE})).scalar_one()


# The condition on jobs is in the form that an index answers (alembic/versions/0001/jobs.sql).
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
    """Return owners and ids of documents that are not finished and that no job will finish."""
    found = await session.execute(_WITHOUT_JOB, {"limit": limit})
    return [(row.owner_id, row.id) for row in found]


# Here and below in the form that an index answers (`claim_job`), whatever statistics say of the queue.
# A document may have been postponed after the caller found it.
_IS_QUEUED = text(
    """
    SELECT EXISTS (SELECT FROM procrastinate_jobs WHERE CASE WHEN status IN ('todo', 'doing') THEN lock END = :lock)
        OR EXISTS (SELECT FROM document
                    WHERE owner_id = :owner AND id = :document AND state IN ('ready', 'failed') AND retry_at > now())
    """
)


# In two halves, since an index has no step for what is not equal: an owner may have ten thousand waiting.
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
    """Return whether documents of other owners wait for a place in a queue; an owner's own others end no turn."""
    return (await session.execute(_OTHER_OWNERS, {"queue": queue, "owner": str(owner_id)})).scalar_one()


async def enqueue_ingestion_once(
    session: AsyncSession, owner_id: UUID, document_id: UUID, *, priority: int = 0
) -> bool:
    """The same, unless there is such a job already."""
    facts = {"lock": f"document {document_id}", "owner": owner_id, "document": document_id}
    queued = await session.execute(_IS_QUEUED, facts)
    if queued.scalar_one():
        return False
    # No user waits for it.
    await enqueue_ingestion(session, owner_id, document_id, priority=priority, queue=DOCUMENTS_QUEUE)
    return True
