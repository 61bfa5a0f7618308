-- Return whether the current user's role has a permission. Policies call this.
CREATE FUNCTION current_user_can(p_permission text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT EXISTS (
        SELECT FROM public.user_account JOIN public.role ON role.name = user_account.role
         WHERE user_account.id = current_user_id() AND user_account.suspended_at IS NULL
           AND p_permission = ANY (CASE WHEN user_account.deletion_by IS NULL THEN role.permissions
                                        ELSE without_administrative_permissions(role.permissions) END))
$$;
