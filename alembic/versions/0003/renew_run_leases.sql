-- Renews an engine's leases in one go and says which of the runs someone wants stopped.
-- A run that is missing from the answer is no longer this engine's.
CREATE FUNCTION renew_run_leases(p_engine uuid, p_runs uuid[], p_lease interval)
RETURNS TABLE (run_id uuid, stop_requested boolean)
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    UPDATE run SET lease_until = clock_timestamp() + p_lease
     WHERE run.id = ANY (p_runs) AND run.engine_id = p_engine AND run.state = 'running'
    RETURNING run.id, run.stop_requested_at IS NOT NULL
$$;
