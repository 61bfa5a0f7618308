-- Renews an engine's leases in one go and says which of the runs someone wants stopped.
-- A run that is missing from the answer is no longer this engine's. Rows are locked in the order in which pieces of
-- answers are stored, so that the two never wait for each other.
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
