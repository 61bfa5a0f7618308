-- Count answers of each user in the last `p_days` days (UTC) for an administrator, most first: never what they were about.
CREATE FUNCTION usage_by_user(p_days integer, p_limit integer)
RETURNS TABLE (user_id uuid, user_name varchar, answers bigint, tokens bigint, last_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF NOT current_user_can('system.read') THEN
        RAISE EXCEPTION 'not without the right' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN QUERY
    SELECT user_account.id, user_account.name, count(*), coalesce(sum(message.tokens), 0)::bigint, max(run.created_at)
      FROM public.run JOIN public.user_account ON user_account.id = run.owner_id
      LEFT JOIN public.message ON message.owner_id = run.owner_id AND message.id = run.message_id
     WHERE run.created_at >= (current_date - p_days + 1)::timestamp AT TIME ZONE 'UTC'
     GROUP BY user_account.id, user_account.name ORDER BY count(*) DESC, user_account.name, user_account.id LIMIT p_limit;
END $$;
