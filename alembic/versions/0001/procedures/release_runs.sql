-- Release all leases of an engine that stops. This does not count as an attempt.
CREATE FUNCTION release_runs(p_engine uuid) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    released integer;
BEGIN
    WITH held AS (
        SELECT run.owner_id, run.id FROM public.run
         WHERE run.engine_id = p_engine AND run.state = 'running'
         ORDER BY run.id FOR UPDATE)
    UPDATE public.run SET state = 'queued', engine_id = NULL, lease_until = NULL, attempt = greatest(run.attempt - 1, 0)
      FROM held WHERE run.owner_id = held.owner_id AND run.id = held.id;
    GET DIAGNOSTICS released = ROW_COUNT;
    IF released > 0 THEN
        PERFORM pg_notify('rxchat', 'run queued');
    END IF;
    RETURN released;
END $$;
