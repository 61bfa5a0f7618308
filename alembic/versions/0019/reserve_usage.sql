-- Reserve what the current user's request to a model is expected to use, of every quota that holds for it. Returns no row, or the
-- quota that is used up; then nothing is reserved. Counters are locked in order, so that requests at the same time wait for each
-- other, and no more than the last one passes a limit. A run has one reservation: that of the process that writes it now.
CREATE FUNCTION reserve_usage(
    p_id uuid, p_run uuid, p_model varchar, p_input bigint, p_output bigint, p_lease interval
)
RETURNS TABLE (
    quota_id uuid, measure text, amount numeric, used numeric, reserved numeric, resets_at timestamptz, period varchar,
    model varchar, group_name varchar, is_own boolean, is_each boolean
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    who constant uuid := current_user_id();
    counters uuid[];
BEGIN
    IF who IS NULL THEN
        RAISE EXCEPTION 'not without a user' USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- A reservation that a crash of Postgres forgets belongs to a request that is lost with it.
    PERFORM set_config('synchronous_commit', 'off', true);
    counters := open_quota_counters(who, p_model);
    DELETE FROM public.usage_reservation WHERE p_run IS NOT NULL AND run_id = p_run AND user_id = who;
    PERFORM FROM public.quota_counter WHERE id = ANY (counters) ORDER BY id FOR UPDATE;
    RETURN QUERY
    SELECT found.quota_id, found.measure, found.amount, found.used, found.reserved, found.resets_at, found.period, found.model,
           found.group_name, found.is_own, found.is_each
      FROM quota_states(who, p_model) AS found
     WHERE found.used + found.reserved >= found.amount
     ORDER BY found.used >= found.amount DESC, found.resets_at DESC, found.quota_id LIMIT 1;
    IF FOUND THEN
        RETURN;
    END IF;
    INSERT INTO public.usage_reservation
        (id, user_id, run_id, model, day, counter_ids, input_tokens, output_tokens, cost, expires_at)
    VALUES (p_id, who, p_run, p_model, quota_period_start('day'), counters, greatest(p_input, 0), greatest(p_output, 0),
            coalesce(cost_of_tokens(p_model, greatest(p_input, 0), greatest(p_output, 0)), 0), clock_timestamp() + p_lease);
END $$;
