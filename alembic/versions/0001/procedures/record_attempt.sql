-- Count an attempt under several keys, unless one of them is blocked. Returns for how many seconds it is blocked, or 0.
-- After `p_free` attempts, each further one doubles the pause, from p_base to p_cap seconds. A key without attempts for
-- p_forget seconds starts again.
CREATE FUNCTION record_attempt(
    p_keys text[], p_free integer[], p_base double precision, p_cap double precision, p_forget double precision
) RETURNS double precision
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    blocked_for double precision;
BEGIN
    -- Locked in one order, so that two callers cannot deadlock.
    INSERT INTO public.rate_limit (key, failures)
    SELECT key, 0 FROM unnest(p_keys) AS key ORDER BY key ON CONFLICT DO NOTHING;
    PERFORM FROM public.rate_limit WHERE key = ANY (p_keys) ORDER BY key FOR UPDATE;
    SELECT max(extract(epoch FROM blocked_until - clock_timestamp())) INTO blocked_for
      FROM public.rate_limit WHERE key = ANY (p_keys) AND blocked_until > clock_timestamp();
    IF blocked_for IS NOT NULL THEN
        RETURN blocked_for;
    END IF;
    UPDATE public.rate_limit
       SET failures = counted.failures, updated_at = clock_timestamp(),
           blocked_until = CASE WHEN counted.failures > counted.free THEN clock_timestamp() + make_interval(
               secs => least(p_cap, p_base * 2.0 ^ least(counted.failures - counted.free - 1, 30))) END
      FROM (SELECT given.key, given.free, 1 + CASE
                   WHEN before.updated_at < clock_timestamp() - make_interval(secs => p_forget) THEN 0
                   ELSE before.failures END AS failures
              FROM unnest(p_keys, p_free) AS given (key, free)
              JOIN public.rate_limit AS before ON before.key = given.key) AS counted
     WHERE rate_limit.key = counted.key;
    RETURN 0;
END $$;
