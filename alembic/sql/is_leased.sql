-- Whether the engine that has a run is alive, as far as anybody knows. While Postgres was away nobody could renew:
-- after its start everybody has the time of a lease (6 s, domain/runs.py) to say that they are there.
CREATE FUNCTION is_leased(p_state text, p_lease_until timestamptz) RETURNS boolean
LANGUAGE sql VOLATILE
SET search_path = pg_catalog
AS $$
    SELECT p_state = 'running'
       AND greatest(p_lease_until, pg_postmaster_start_time() + interval '6 seconds') >= clock_timestamp()
$$;
