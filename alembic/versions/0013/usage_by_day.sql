-- Count answers, their tokens and their users for each day (UTC) of the last `p_days`, days without any too, for an administrator.
CREATE FUNCTION usage_by_day(p_days integer) RETURNS TABLE (day date, answers bigint, tokens bigint, users bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF NOT current_user_can('system.read') THEN
        RAISE EXCEPTION 'not without the right' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN QUERY
    WITH written AS (
        SELECT (run.created_at AT TIME ZONE 'UTC')::date AS day, run.owner_id, run.id, message.tokens
          FROM public.run LEFT JOIN public.message ON message.owner_id = run.owner_id AND message.id = run.message_id
         WHERE run.created_at >= (current_date - p_days + 1)::timestamp AT TIME ZONE 'UTC'
    )
    SELECT days.day::date, count(written.id), coalesce(sum(written.tokens), 0)::bigint, count(DISTINCT written.owner_id)
      FROM generate_series(current_date - p_days + 1, current_date, interval '1 day') AS days (day)
      LEFT JOIN written ON written.day = days.day::date
     GROUP BY days.day ORDER BY days.day;
END $$;
