-- Return the account with this e-mail address. Called before sign-in, where no policy can match.
CREATE FUNCTION find_user_to_sign_in(p_email text)
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
      FROM public.user_account WHERE email_key(user_account.email) = email_key(p_email)
$$;
