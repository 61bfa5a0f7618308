-- Count answers of each model in the last `p_days` days (UTC) for an administrator, those of failed runs too, most first.
CREATE FUNCTION usage_by_model(p_days integer)
RETURNS TABLE (model varchar, answers bigint, failed bigint, tokens bigint, users bigint, tokens_per_second double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF NOT current_user_can('system.read') THEN
        RAISE EXCEPTION 'not without the right' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN QUERY
    SELECT run.model, count(*), count(*) FILTER (WHERE run.state = 'failed'), coalesce(sum(message.tokens), 0)::bigint,
           count(DISTINCT run.owner_id),
           coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY nullif(message.tokens_per_second, 0)), 0)
      FROM public.run LEFT JOIN public.message ON message.owner_id = run.owner_id AND message.id = run.message_id
     WHERE run.created_at >= (current_date - p_days + 1)::timestamp AT TIME ZONE 'UTC'
     GROUP BY run.model ORDER BY count(*) DESC, run.model;
END $$;
