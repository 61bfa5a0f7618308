-- Take back an attempt that succeeded: reset the first keys, and subtract one attempt from the others.
CREATE FUNCTION refund_attempts(p_clean text[], p_lessen text[]) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    DELETE FROM public.rate_limit WHERE key = ANY (p_clean);
    -- A pause that was caused by others stays.
    UPDATE public.rate_limit SET failures = greatest(failures - 1, 0) WHERE key = ANY (p_lessen);
$$;
