-- Return a passkey and its user, for signing in without an e-mail address.
CREATE FUNCTION find_user_by_passkey(p_credential bytea)
RETURNS TABLE (user_id uuid, passkey_id uuid, public_key bytea, sign_count bigint, email varchar)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT passkey.user_id, passkey.id, passkey.public_key, passkey.sign_count, user_account.email
      FROM public.passkey JOIN public.user_account ON user_account.id = passkey.user_id
     WHERE passkey.credential_id = p_credential
$$;
