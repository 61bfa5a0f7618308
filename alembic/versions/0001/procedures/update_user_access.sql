-- Change a user's role, or suspend or reinstate the user (NULL: unchanged), and end their sessions and keys.
-- Users can only give and take permissions that they have. SQLSTATE RX002: the last administrator must stay.
CREATE FUNCTION update_user_access(p_user uuid, p_role text, p_suspended boolean) RETURNS boolean
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
    IF NOT current_user_can('users.manage') OR NOT theirs <@ mine
       OR NOT coalesce((SELECT permissions FROM public.role WHERE name = p_role) <@ mine, p_role IS NULL) THEN
        RAISE EXCEPTION 'more than the current user may' USING ERRCODE = 'insufficient_privilege';
    END IF;
    UPDATE public.user_account
       SET role = coalesce(p_role, role),
           suspended_at = CASE WHEN p_suspended THEN coalesce(suspended_at, now())
                               WHEN p_suspended IS NULL THEN suspended_at END
     WHERE id = p_user;
    IF NOT EXISTS (SELECT FROM public.user_account WHERE role = 'admin' AND suspended_at IS NULL AND deletion_at IS NULL) THEN
        RAISE EXCEPTION 'the last administrator' USING ERRCODE = 'RX002';
    END IF;
    UPDATE public.user_session SET ended_at = now(), ended_reason = 'changed by an administrator'
     WHERE user_id = p_user AND ended_at IS NULL;
    UPDATE public.api_key SET revoked_at = now()
     WHERE user_id = p_user AND revoked_at IS NULL AND (p_role IS NOT NULL OR p_suspended);
    DELETE FROM public.account_token WHERE created_by = p_user AND used_at IS NULL;
    RETURN true;
END $$;
