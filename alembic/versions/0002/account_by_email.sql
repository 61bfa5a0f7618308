-- The account that signs in with this address; asked before anyone is signed in, so no policy could allow it.
CREATE FUNCTION account_by_email(p_email text)
RETURNS TABLE (id uuid, email text, name text, role text, password_hash text, is_suspended boolean)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    SELECT user_account.id, user_account.email, user_account.name, user_account.role,
           user_account.password_hash, user_account.suspended_at IS NOT NULL
      FROM user_account WHERE lower(user_account.email) = lower(p_email)
$$;
