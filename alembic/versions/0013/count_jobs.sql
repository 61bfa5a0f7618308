-- Count background jobs by queue for an administrator: those that wait, run, and have failed for good.
CREATE FUNCTION count_jobs() RETURNS TABLE (queue varchar, waiting bigint, running bigint, failed bigint, oldest_waiting timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF NOT current_user_can('system.read') THEN
        RAISE EXCEPTION 'not without the right' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN QUERY
    SELECT job.queue_name, count(*) FILTER (WHERE job.status = 'todo'), count(*) FILTER (WHERE job.status = 'doing'),
           count(*) FILTER (WHERE job.status = 'failed'),
           min(deferred.at) FILTER (WHERE job.status = 'todo')
      FROM public.procrastinate_jobs AS job
      LEFT JOIN LATERAL (SELECT min(event.at) AS at FROM public.procrastinate_events AS event
                          WHERE event.job_id = job.id AND event.type = 'deferred') AS deferred ON true
     WHERE job.status IN ('todo', 'doing', 'failed')
     GROUP BY job.queue_name ORDER BY job.queue_name;
END $$;
