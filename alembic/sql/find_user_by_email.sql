-- Return the user with this e-mail address, to a user who may create collections and wants to share one.
CREATE FUNCTION find_user_by_email(p_email text) RETURNS TABLE (id uuid, name varchar)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT account.id, account.name FROM public.user_account AS account
     WHERE email_key(account.email) = email_key(p_email) AND account.suspended_at IS NULL
       AND current_user_can('collections.create')
$$;
