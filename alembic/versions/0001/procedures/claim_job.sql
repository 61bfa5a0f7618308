-- Mark the next job of some queues as running, and return it (a row of NULLs when there is none), as
-- procrastinate_fetch_job_v2 does; except that places go round between owners, and not between jobs: the next job is one
-- of the owner whose last claim is the longest ago, and of theirs the one that has the highest priority. So an owner who
-- brings one file waits for no more than the jobs that are running, however many files others have waiting.
-- Owners who have p_most jobs running at this worker wait, so that none ever holds all places of a worker.
-- A queue is empty one moment and has ten thousand jobs the next, so statistics say nothing of it, and a planner that
-- believes it empty finds each index as good as the next. So each question is put in a form that one index answers alone
-- (the expressions below), and no plan is allowed but steps of an index.
CREATE FUNCTION claim_job(p_queues varchar[], p_worker_id bigint, p_most integer) RETURNS public.procrastinate_jobs
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
    candidate record;
    claimed public.procrastinate_jobs;
BEGIN
    -- One after another: two that looked at the same time would both find the same owner first.
    PERFORM pg_advisory_xact_lock(hashtext('rxchat claim_job'));
    FOR candidate IN
        WITH RECURSIVE owner AS (
            -- A step of the index for each owner, however many jobs they have.
            SELECT queue.name AS queue_name,
                   (SELECT job.args ->> 'owner_id' FROM public.procrastinate_jobs AS job
                     WHERE CASE WHEN job.status = 'todo' THEN job.queue_name END = queue.name
                       AND job.args ->> 'owner_id' > ''
                     ORDER BY job.args ->> 'owner_id' LIMIT 1) AS id
              FROM unnest(p_queues) AS queue (name)
             UNION ALL
            SELECT owner.queue_name,
                   (SELECT job.args ->> 'owner_id' FROM public.procrastinate_jobs AS job
                     WHERE CASE WHEN job.status = 'todo' THEN job.queue_name END = owner.queue_name
                       AND job.args ->> 'owner_id' > owner.id
                     ORDER BY job.args ->> 'owner_id' LIMIT 1)
              FROM owner WHERE owner.id IS NOT NULL
        ), busy AS MATERIALIZED (
            SELECT running.args ->> 'owner_id' AS owner_id
              FROM public.procrastinate_jobs AS running
             WHERE CASE WHEN running.status = 'doing' THEN running.worker_id END = p_worker_id AND running.args ? 'owner_id'
             GROUP BY 1
            HAVING count(*) >= p_most
        )
        SELECT job.id, owner.queue_name, owner.id AS owner_id
          FROM owner
          LEFT JOIN public.queue_claim AS last ON last.queue_name = owner.queue_name
            -- The cast of what is no id fails, and with it the claims of everyone.
            AND last.owner_id = CASE WHEN owner.id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN owner.id::uuid END
         CROSS JOIN LATERAL (
             SELECT waiting.id, waiting.priority FROM public.procrastinate_jobs AS waiting
              WHERE CASE WHEN waiting.status = 'todo' THEN waiting.queue_name END = owner.queue_name
                AND waiting.args ->> 'owner_id' = owner.id
                AND (waiting.scheduled_at IS NULL OR waiting.scheduled_at <= now())
                AND NOT EXISTS (SELECT FROM public.procrastinate_jobs AS other
                                 WHERE CASE WHEN other.status IN ('todo', 'doing') THEN other.lock END = waiting.lock
                                   AND (other.status = 'doing' OR other.priority > waiting.priority
                                        OR other.priority = waiting.priority AND other.id < waiting.id))
              ORDER BY waiting.priority DESC, waiting.id LIMIT 1
         ) AS job
         CROSS JOIN LATERAL (
             SELECT count(*) AS jobs
               FROM (SELECT FROM public.procrastinate_jobs AS waiting
                      WHERE last.number IS NULL
                        AND CASE WHEN waiting.status = 'todo' THEN waiting.queue_name END = owner.queue_name
                        AND waiting.args ->> 'owner_id' = owner.id
                      LIMIT 20) AS counted
         ) AS brought
         WHERE NOT EXISTS (SELECT FROM busy WHERE busy.owner_id = owner.id)
           AND owner.id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
               -- What nobody waits for, such as a new index, comes last, whosever it is.
         ORDER BY job.priority < -1000,
                  -- An attached file counts as if its owner's last claim were ten claims longer ago: its user waits for an
                  -- answer. So it comes first, and yet a flood of attached files keeps no other owner waiting for ever.
                  last.number - CASE WHEN job.priority > 0 THEN 10 ELSE 0 END NULLS FIRST,
                  job.priority > 0 DESC,
                  -- Of those without a claim lately, who brings few before who brings many.
                  brought.jobs, job.priority DESC, job.id
    LOOP
        UPDATE public.procrastinate_jobs AS job SET status = 'doing', worker_id = p_worker_id
         WHERE job.id = (SELECT waiting.id FROM public.procrastinate_jobs AS waiting
                          WHERE waiting.id = candidate.id AND waiting.status::text = 'todo' FOR UPDATE SKIP LOCKED)
        RETURNING job.* INTO claimed;
        IF FOUND THEN
            INSERT INTO public.queue_claim AS last (queue_name, owner_id, number, claimed_at)
            SELECT candidate.queue_name, candidate.owner_id::uuid, coalesce(max(every.number), 0) + 1, clock_timestamp()
              FROM public.queue_claim AS every WHERE 'of ' || every.queue_name = 'of ' || candidate.queue_name
            ON CONFLICT (queue_name, owner_id)
            DO UPDATE SET number = excluded.number, claimed_at = excluded.claimed_at;
            RETURN claimed;
        END IF;
    END LOOP;
    RETURN claimed;
END
$$;
