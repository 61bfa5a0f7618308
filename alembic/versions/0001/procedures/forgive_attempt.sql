-- Takes an attempt back that was right: these keys are clean again, and those have one attempt less.
CREATE FUNCTION forgive_attempt(p_clean text[], p_lessen text[]) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    DELETE FROM public.attempt_counter WHERE key = ANY (p_clean);
    -- A pause that others have earned stays.
    UPDATE public.attempt_counter SET failures = greatest(failures - 1, 0) WHERE key = ANY (p_lessen);
$$;
