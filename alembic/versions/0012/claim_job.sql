-- Mark the next job of some queues as running, and return it (a row of NULLs when there is none), as
-- procrastinate_fetch_job_v2 does; except that jobs of an owner who has p_most of them running at this worker wait.
-- So one owner, however many documents they bring, never holds all places of a worker.
CREATE FUNCTION claim_job(p_queues varchar[], p_worker_id bigint, p_most integer) RETURNS public.procrastinate_jobs
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    claimed public.procrastinate_jobs;
BEGIN
    WITH busy AS MATERIALIZED (
        SELECT running.args ->> 'owner_id' AS owner_id
          FROM public.procrastinate_jobs AS running
         WHERE running.worker_id = p_worker_id AND running.status = 'doing' AND running.args ? 'owner_id'
         GROUP BY 1
        HAVING count(*) >= p_most
    ), candidate AS (
        SELECT job.id
          FROM public.procrastinate_jobs AS job
         WHERE job.status = 'todo'
           AND job.queue_name = ANY (p_queues)
           AND (job.scheduled_at IS NULL OR job.scheduled_at <= now())
           AND NOT EXISTS (SELECT FROM busy WHERE busy.owner_id = job.args ->> 'owner_id')
           AND NOT EXISTS (
               SELECT FROM public.procrastinate_jobs AS other
                WHERE job.lock IS NOT NULL AND other.lock = job.lock
                  AND (other.status = 'doing'
                       OR other.status = 'todo' AND (other.priority > job.priority
                                                     OR other.priority = job.priority AND other.id < job.id))
           )
         ORDER BY job.priority DESC, job.id
         LIMIT 1
           FOR UPDATE OF job SKIP LOCKED
    )
    UPDATE public.procrastinate_jobs AS job SET status = 'doing', worker_id = p_worker_id
      FROM candidate WHERE job.id = candidate.id
    RETURNING job.* INTO claimed;
    RETURN claimed;
END
$$;
