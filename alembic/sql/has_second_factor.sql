-- Return whether a user has a second factor.
CREATE FUNCTION has_second_factor(p_user uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT EXISTS (SELECT FROM public.totp_secret WHERE user_id = p_user AND confirmed_at IS NOT NULL)
        OR EXISTS (SELECT FROM public.passkey WHERE user_id = p_user)
$$;
