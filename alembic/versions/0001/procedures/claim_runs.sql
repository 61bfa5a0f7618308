-- Lease up to `p_room` waiting runs to an engine, in fair order and within the limits of the instance and of each user; none
-- of `p_mine`, which it is still working on and renews. Engines are serialized: two that count at the same time would both find
-- the last slot free.
CREATE FUNCTION claim_runs(
    p_engine uuid, p_lease interval, p_room integer, p_at_once integer, p_per_user integer, p_mine uuid[]
)
RETURNS TABLE (
    owner_id uuid, id uuid, conversation_id uuid, message_id uuid, model text, attempt integer, fence integer,
    correlation_id text, is_unwanted boolean
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    room integer;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('rxchat claim_runs'));
    SELECT least(p_room, p_at_once - count(*)) INTO room
      FROM public.run WHERE state = 'running' AND is_leased(state, lease_until);
    IF room <= 0 THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH chosen AS (
        SELECT waiting.owner_id, waiting.id FROM public.waiting_run AS waiting
         WHERE waiting.turn <= p_per_user AND waiting.id <> ALL (p_mine)
         ORDER BY waiting.was_begun DESC, waiting.turn, waiting.created_at, waiting.id
         LIMIT room),
    free AS (
        -- A run that its engine renews or ends at this moment is locked, and not free.
        SELECT run.owner_id, run.id FROM public.run JOIN chosen USING (owner_id, id) FOR UPDATE OF run SKIP LOCKED)
    UPDATE public.run SET state = 'running', engine_id = p_engine, lease_until = clock_timestamp() + p_lease,
                   attempt = run.attempt + 1, fence = run.fence + 1,
                   started_at = coalesce(run.started_at, clock_timestamp())
      FROM free
     WHERE run.owner_id = free.owner_id AND run.id = free.id
       AND run.state IN ('queued', 'running') AND NOT is_leased(run.state, run.lease_until)
    RETURNING run.owner_id, run.id, run.conversation_id, run.message_id, run.model::text, run.attempt, run.fence,
              run.correlation_id::text, run.stop_requested_at IS NOT NULL;
END $$;
