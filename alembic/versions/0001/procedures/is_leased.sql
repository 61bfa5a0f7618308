-- Return whether the engine that leased a run is alive. While Postgres was down, no lease could be renewed: after its start,
-- all leases are valid for another 6 s (domain/runs.py).
CREATE FUNCTION is_leased(p_state text, p_lease_until timestamptz) RETURNS boolean
LANGUAGE sql VOLATILE
SET search_path = pg_catalog
AS $$
    SELECT p_state = 'running'
       AND greatest(p_lease_until, pg_postmaster_start_time() + interval '6 seconds') >= clock_timestamp()
$$;
