-- Delete a user's second factors, for users with users.manage. The user signs in again and sets up new ones.
CREATE FUNCTION reset_second_factors(p_user uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    mine varchar[] := (SELECT permissions FROM public.role WHERE name = current_user_role());
    theirs varchar[];
BEGIN
    SELECT role.permissions INTO theirs FROM public.user_account JOIN public.role ON role.name = user_account.role
     WHERE user_account.id = p_user;
    IF theirs IS NULL THEN
        RETURN false;
    END IF;
    IF NOT current_user_can('users.manage') OR NOT theirs <@ mine THEN
        RAISE EXCEPTION 'more than the current user may' USING ERRCODE = 'insufficient_privilege';
    END IF;
    DELETE FROM public.totp_secret WHERE user_id = p_user;
    DELETE FROM public.recovery_code WHERE user_id = p_user;
    DELETE FROM public.passkey WHERE user_id = p_user;
    UPDATE public.user_session SET ended_at = now(), ended_reason = 'second factor reset'
     WHERE user_id = p_user AND ended_at IS NULL;
    UPDATE public.api_key SET revoked_at = now() WHERE user_id = p_user AND revoked_at IS NULL;
    RETURN true;
END $$;
