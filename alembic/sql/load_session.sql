-- Return a valid session with everything that decides what its user may do, or no row.
CREATE FUNCTION load_session(p_user uuid, p_session uuid, p_idle interval)
RETURNS TABLE (
    name varchar, email varchar, role varchar, permissions varchar[], groups uuid[], kind varchar, scopes varchar[],
    generation integer, has_second_factor boolean, second_factor_at timestamptz, last_seen_at timestamptz,
    expires_at timestamptz, session_id uuid, rotated_at timestamptz, password_changed_at timestamptz
)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT user_account.name, user_account.email, user_account.role,
           CASE WHEN user_account.deletion_by IS NULL THEN role.permissions
                ELSE without_administrative_permissions(role.permissions) END,
           ARRAY(SELECT group_id FROM public.group_member WHERE group_member.user_id = p_user),
           user_session.kind, user_session.scopes, user_session.generation, has_second_factor(p_user),
           user_session.second_factor_at, user_session.last_seen_at, user_session.expires_at,
           user_session.id, user_session.rotated_at, user_account.password_changed_at
      FROM public.user_session
      JOIN public.user_account ON user_account.id = user_session.user_id
      JOIN public.role ON role.name = user_account.role
     WHERE user_session.user_id = p_user AND p_user = current_user_id() AND user_session.ended_at IS NULL
       -- Requests that were sent before the ID was rotated still use the previous one.
       AND (user_session.id = p_session
            OR (user_session.previous_id = p_session AND user_session.rotated_at > now() - interval '30 seconds'))
       AND user_session.expires_at > now() AND user_session.last_seen_at > now() - p_idle
       AND user_account.suspended_at IS NULL
$$;
