-- Return the account connected to an account at a sign-in provider, by issuer and subject only.
CREATE FUNCTION find_user_by_identity(p_issuer text, p_subject text)
RETURNS TABLE (
    id uuid, email varchar, name varchar, role varchar, password_hash varchar, is_suspended boolean,
    is_confirmed boolean, has_second_factor boolean, password_changed_at timestamptz
)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT user_account.id, user_account.email, user_account.name, user_account.role, user_account.password_hash,
           suspended_at IS NOT NULL, email_confirmed_at IS NOT NULL, has_second_factor(user_account.id),
           user_account.password_changed_at
      FROM public.identity JOIN public.user_account ON user_account.id = identity.user_id
     WHERE identity.issuer = p_issuer AND identity.subject = p_subject
$$;
