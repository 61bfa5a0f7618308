-- Gives the oldest waiting run to an engine: one that is queued, or one whose engine let its lease run out.
-- Engines that ask at the same time never get the same run.
CREATE FUNCTION claim_run(p_engine uuid, p_lease interval)
RETURNS TABLE (
    owner_id uuid, id uuid, conversation_id uuid, message_id uuid, model text, attempt integer, correlation_id text
)
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    UPDATE run SET state = 'running', engine_id = p_engine, lease_until = clock_timestamp() + p_lease,
                   attempt = run.attempt + 1, started_at = coalesce(run.started_at, clock_timestamp())
     WHERE (run.owner_id, run.id) = (
        SELECT waiting.owner_id, waiting.id FROM run AS waiting
         WHERE waiting.state = 'queued' OR (waiting.state = 'running' AND waiting.lease_until < clock_timestamp())
         ORDER BY waiting.created_at
           FOR UPDATE SKIP LOCKED
         LIMIT 1)
    RETURNING run.owner_id, run.id, run.conversation_id, run.message_id, run.model, run.attempt, run.correlation_id
$$;
