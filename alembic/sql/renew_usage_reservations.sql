-- Renew reservations of requests in progress, and raise them to what was written by now.
CREATE FUNCTION renew_usage_reservations(p_ids uuid[], p_outputs bigint[], p_lease interval) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    WITH held AS (
        SELECT reserved.id, greatest(reserved.output_tokens, given.output) AS output
          FROM public.usage_reservation AS reserved JOIN unnest(p_ids, p_outputs) AS given (id, output) ON given.id = reserved.id
         ORDER BY reserved.id FOR UPDATE OF reserved SKIP LOCKED)
    UPDATE public.usage_reservation AS reserved
       SET expires_at = clock_timestamp() + p_lease, output_tokens = held.output,
           cost = greatest(reserved.cost, coalesce(cost_of_tokens(reserved.model, reserved.input_tokens, held.output), 0))
      FROM held WHERE reserved.id = held.id;
END $$;
