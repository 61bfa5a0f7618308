-- Exchange a refresh token and return the generation of the next one, or NULL if the session has ended. Returns -1 if it was
-- exchanged before: then it was stolen, and the session ends (RFC 9700, section 4.14.2).
CREATE FUNCTION exchange_refresh_token(p_user uuid, p_session uuid, p_generation integer, p_idle interval) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    next_generation integer;
BEGIN
    UPDATE public.user_session SET generation = generation + 1, last_seen_at = now()
     WHERE user_id = p_user AND id = p_session AND kind = 'program' AND ended_at IS NULL AND expires_at > now()
       AND generation = p_generation AND last_seen_at > now() - p_idle AND p_user = current_user_id()
       AND EXISTS (SELECT FROM public.user_account WHERE id = p_user AND suspended_at IS NULL)
    RETURNING generation INTO next_generation;
    IF FOUND THEN
        RETURN next_generation;
    END IF;
    UPDATE public.user_session SET ended_at = now(), ended_reason = 'refresh token used twice'
     WHERE user_id = p_user AND id = p_session AND kind = 'program' AND ended_at IS NULL
       AND generation > p_generation AND p_user = current_user_id();
    RETURN CASE WHEN FOUND THEN -1 END;
END $$;
