-- Return the user of a valid API key, with everything that decides what the key may do.
CREATE FUNCTION find_user_by_api_key(p_hash bytea)
RETURNS TABLE (
    user_id uuid, key_id uuid, name varchar, email varchar, role varchar, permissions varchar[], groups uuid[],
    scopes varchar[], has_second_factor boolean, last_used_at timestamptz
)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT user_account.id, api_key.id, user_account.name, user_account.email, user_account.role,
           CASE WHEN user_account.deletion_by IS NULL THEN role.permissions
                ELSE without_administrative_permissions(role.permissions) END,
           ARRAY(SELECT group_id FROM public.group_member WHERE group_member.user_id = user_account.id),
           api_key.scopes, has_second_factor(user_account.id), api_key.last_used_at
      FROM public.api_key
      JOIN public.user_account ON user_account.id = api_key.user_id
      JOIN public.role ON role.name = user_account.role
     WHERE api_key.hash = p_hash AND api_key.revoked_at IS NULL AND user_account.suspended_at IS NULL
       AND (api_key.expires_at IS NULL OR api_key.expires_at > now())
$$;
