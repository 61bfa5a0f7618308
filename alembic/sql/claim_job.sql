-- Mark the next job of some queues as running and return it (a row of NULLs if there is none), like
-- procrastinate_fetch_job_v2, but fairly between owners: the next job is the one with the highest priority of the owner whose
-- last claim is the longest ago. An owner with one file waits for the running jobs only, however many files others have queued.
-- Owners with p_most running jobs at this worker wait, so that none occupies a whole worker.
-- A queue may be empty one moment and have ten thousand jobs the next, so statistics are always out of date. Each condition
-- therefore has the form of one index (the expressions below), and only index scans are enabled.
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
    -- Serialized: two simultaneous claims would both find the same owner first.
    PERFORM pg_advisory_xact_lock(hashtext('rxchat claim_job'));
    FOR candidate IN
        WITH RECURSIVE owner AS (
            -- One index scan for each owner, however many jobs they have.
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
            -- Casting anything but a UUID fails, and with it all claims.
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
               -- Background work, such as a new index, comes last for all owners.
         ORDER BY job.priority < -1000,
                  -- An attached file counts as if its owner's last claim were ten claims longer ago: its user waits for an
                  -- answer. So it comes first, but many attached files do not block other owners forever.
                  last.number - CASE WHEN job.priority > 0 THEN 10 ELSE 0 END NULLS FIRST,
                  job.priority > 0 DESC,
                  -- Of owners without a recent claim, those with few jobs before those with many.
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
