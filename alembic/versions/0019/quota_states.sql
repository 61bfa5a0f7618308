-- Return each limit that holds for a user's requests to a model (NULL: to any), with what is used of it and what requests in
-- progress have reserved. Quotas of which nothing was used in this period have no counter yet.
CREATE FUNCTION quota_states(p_user uuid, p_model varchar)
RETURNS TABLE (
    quota_id uuid, measure text, amount numeric, used numeric, reserved numeric, resets_at timestamptz, period varchar,
    model varchar, group_name varchar, is_own boolean, is_each boolean
)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    WITH holding AS (
        SELECT found AS whole, found.*, CASE WHEN found.is_each THEN p_user ELSE '00000000-0000-0000-0000-000000000000' END AS holder
          FROM applicable_quotas(p_user, p_model) AS found),
    counted AS (
        SELECT holding.*, coalesce(counter.requests, past.requests, 0) AS used_requests,
               coalesce(counter.tokens, past.tokens, 0) AS used_tokens, coalesce(counter.cost, past.cost, 0) AS used_cost,
               reserved.*
          FROM holding
          LEFT JOIN public.quota_counter AS counter
            ON counter.quota_id = holding.id AND counter.user_id = holding.holder
               AND counter.period_start = quota_period_start(holding.period)
          LEFT JOIN LATERAL (
              SELECT sum(used.requests) AS requests, sum(used.input_tokens + used.output_tokens) AS tokens, sum(used.cost) AS cost
                FROM public.model_usage AS used
               WHERE counter.id IS NULL AND used.day >= quota_period_start(holding.period)
                 AND is_of_quota(holding.whole, holding.holder, used.user_id, used.model)) AS past ON true
          LEFT JOIN LATERAL (
              SELECT count(*) AS reserved_requests, coalesce(sum(open.input_tokens + open.output_tokens), 0) AS reserved_tokens,
                     coalesce(sum(open.cost), 0) AS reserved_cost
                FROM public.usage_reservation AS open
               WHERE counter.id = ANY (open.counter_ids) AND open.expires_at > clock_timestamp()) AS reserved ON true)
    SELECT counted.id, limits.measure, limits.amount, limits.used, limits.reserved, quota_resets_at(counted.period),
           counted.period, counted.model, coalesce(user_group.name, ''), counted.user_id IS NOT NULL, counted.is_each
      FROM counted
      LEFT JOIN public.user_group ON user_group.id = counted.group_id
     CROSS JOIN LATERAL (VALUES
           ('requests', counted.requests::numeric, counted.used_requests::numeric, counted.reserved_requests::numeric),
           ('tokens', counted.tokens::numeric, counted.used_tokens::numeric, counted.reserved_tokens::numeric),
           ('cost', counted.cost, counted.used_cost, counted.reserved_cost)
           ) AS limits (measure, amount, used, reserved)
     WHERE limits.amount IS NOT NULL
     ORDER BY counted.period, counted.model, counted.id, limits.measure
$$;
