-- Return whether an account token can be used: unused, not expired, and its creator still has the permission to create it.
CREATE FUNCTION account_token_is_valid(p_link public.account_token) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT p_link.used_at IS NULL AND p_link.expires_at > now() AND (
        p_link.created_by IS NULL
        OR EXISTS (
            SELECT FROM public.user_account JOIN public.role ON role.name = user_account.role
             WHERE user_account.id = p_link.created_by AND user_account.suspended_at IS NULL
               AND user_account.deletion_by IS NULL
               AND CASE p_link.kind
                   WHEN 'invitation' THEN 'users.invite' = ANY (role.permissions)
                        AND (SELECT given.permissions FROM public.role AS given WHERE given.name = p_link.role)
                            <@ role.permissions
                   ELSE 'users.manage' = ANY (role.permissions) END))
$$;
