-- Add up what was asked of models on each of the last p_days days (UTC), by 'model', 'user' or 'group', for an administrator. Only
-- the p_most with the most requests, tokens or cost (p_measure) are named; the others are one series without a key. A user counts
-- in each of their groups.
CREATE FUNCTION usage_series(p_days integer, p_by varchar, p_measure varchar, p_most integer)
RETURNS TABLE (
    day date, key varchar, label varchar, requests bigint, input_tokens bigint, output_tokens bigint, cost numeric
)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    IF NOT current_user_can('system.read') THEN
        RAISE EXCEPTION 'not without the right' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN QUERY
    WITH parts AS (
        SELECT used.day, used.requests, used.input_tokens, used.output_tokens, used.cost,
               CASE p_by WHEN 'model' THEN used.model WHEN 'user' THEN used.user_id::varchar
                         ELSE coalesce(member.group_id::varchar, '') END AS key
          FROM public.model_usage AS used
          LEFT JOIN public.group_member AS member ON p_by = 'group' AND member.user_id = used.user_id
         WHERE used.day > (now() AT TIME ZONE 'UTC')::date - p_days),
    ranked AS (
        SELECT parts.key, row_number() OVER (ORDER BY
                   CASE p_measure WHEN 'requests' THEN sum(parts.requests) WHEN 'cost' THEN sum(parts.cost)
                                  ELSE sum(parts.input_tokens + parts.output_tokens) END DESC, parts.key) AS place
          FROM parts GROUP BY parts.key)
    SELECT parts.day, named.key::varchar,
           coalesce(CASE p_by WHEN 'model' THEN named.key WHEN 'user' THEN max(account.name) ELSE max(team.name) END, '')::varchar,
           sum(parts.requests)::bigint, sum(parts.input_tokens)::bigint, sum(parts.output_tokens)::bigint, sum(parts.cost)
      FROM parts
      LEFT JOIN ranked AS named ON named.key = parts.key AND named.place <= p_most
      LEFT JOIN public.user_account AS account ON p_by = 'user' AND account.id::varchar = named.key
      LEFT JOIN public.user_group AS team ON p_by = 'group' AND team.id::varchar = named.key
     GROUP BY parts.day, named.key ORDER BY parts.day, named.key;
END $$;
