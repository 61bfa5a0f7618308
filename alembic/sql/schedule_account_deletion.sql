-- Schedule the deletion of a user's account, or cancel it (NULL). Scheduling ends the user's sessions and keys. Returns false if
-- there is no such user, or nothing that an administrator scheduled. SQLSTATE RX002: the last administrator cannot be deleted.
CREATE FUNCTION schedule_account_deletion(p_user uuid, p_at timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    mine varchar[] := (SELECT permissions FROM public.role WHERE name = current_user_role());
    theirs varchar[];
BEGIN
    PERFORM pg_advisory_xact_lock(7239002);
    SELECT role.permissions INTO theirs FROM public.user_account JOIN public.role ON role.name = user_account.role
     WHERE user_account.id = p_user;
    IF theirs IS NULL THEN
        RETURN false;
    END IF;
    IF NOT current_user_can('users.manage') OR NOT theirs <@ mine OR p_user = current_user_id() THEN
        RAISE EXCEPTION 'more than the current user may' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF p_at IS NULL THEN
        UPDATE public.user_account SET deletion_at = NULL, deletion_by = NULL
         WHERE id = p_user AND deletion_by IS NOT NULL;
        RETURN FOUND;
    END IF;
    UPDATE public.user_account SET deletion_at = p_at, deletion_by = current_user_id() WHERE id = p_user;
    IF NOT EXISTS (SELECT FROM public.user_account WHERE role = 'admin' AND suspended_at IS NULL AND deletion_at IS NULL) THEN
        RAISE EXCEPTION 'the last administrator' USING ERRCODE = 'RX002';
    END IF;
    UPDATE public.user_session SET ended_at = now(), ended_reason = 'account to be deleted by an administrator'
     WHERE user_id = p_user AND ended_at IS NULL;
    UPDATE public.api_key SET revoked_at = now() WHERE user_id = p_user AND revoked_at IS NULL;
    DELETE FROM public.account_token WHERE created_by = p_user AND used_at IS NULL;
    RETURN true;
END $$;
