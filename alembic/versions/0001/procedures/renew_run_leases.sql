-- Renew an engine's leases, and return which runs were asked to stop. A run that is missing in the result is no longer leased
-- by this engine. Rows are locked in the same order as in append_run_chunks, so that the two cannot deadlock.
CREATE FUNCTION renew_run_leases(p_engine uuid, p_runs uuid[], p_lease interval)
RETURNS TABLE (run_id uuid, stop_requested boolean)
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    WITH held AS (
        SELECT run.owner_id, run.id FROM public.run
         WHERE run.id = ANY (p_runs) AND run.engine_id = p_engine AND run.state = 'running'
         ORDER BY run.id FOR UPDATE)
    UPDATE public.run SET lease_until = clock_timestamp() + p_lease
      FROM held WHERE run.owner_id = held.owner_id AND run.id = held.id
    RETURNING run.id, run.stop_requested_at IS NOT NULL
$$;
