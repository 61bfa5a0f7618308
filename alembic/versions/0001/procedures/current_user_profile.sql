-- The person on whose behalf this transaction acts, with what decides what they may do; no row when they are suspended, or
-- about to be deleted.
CREATE FUNCTION current_user_profile()
RETURNS TABLE (name varchar, email varchar, role varchar, permissions varchar[], groups uuid[])
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT user_account.name, user_account.email, user_account.role, role.permissions,
           ARRAY(SELECT group_id FROM public.group_member WHERE group_member.user_id = user_account.id)
      FROM public.user_account JOIN public.role ON role.name = user_account.role
     WHERE user_account.id = current_user_id() AND user_account.suspended_at IS NULL AND user_account.deletion_at IS NULL
$$;
