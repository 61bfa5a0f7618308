-- End a user's sessions: one, all, or all but one. For the user, and for users with users.manage who have all of the user's
-- permissions: then the API keys are revoked as well, since it is not known who has them.
CREATE FUNCTION end_sessions(p_user uuid, p_only uuid, p_except uuid, p_reason text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    mine varchar[] := (SELECT permissions FROM public.role WHERE name = current_user_role());
    theirs varchar[] := (SELECT role.permissions FROM public.user_account JOIN public.role ON role.name = user_account.role
                          WHERE user_account.id = p_user);
    ended integer;
BEGIN
    IF current_user_id() IS DISTINCT FROM p_user
       AND (NOT current_user_can('users.manage') OR NOT coalesce(theirs <@ mine, false)) THEN
        RAISE EXCEPTION 'sessions of another user' USING ERRCODE = 'insufficient_privilege';
    END IF;
    UPDATE public.user_session SET ended_at = now(), ended_reason = p_reason
     WHERE user_id = p_user AND ended_at IS NULL AND (p_only IS NULL OR id = p_only)
       AND id IS DISTINCT FROM p_except;
    GET DIAGNOSTICS ended = ROW_COUNT;
    IF current_user_id() IS DISTINCT FROM p_user THEN
        UPDATE public.api_key SET revoked_at = now() WHERE user_id = p_user AND revoked_at IS NULL;
    END IF;
    RETURN ended;
END $$;
