-- Return the conversations of other users that the current user was granted to read, directly or by group, role or everyone.
CREATE FUNCTION readable_conversations() RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    -- Anything but a UUID is left out: casting it would fail for all users.
    SELECT coalesce(array_agg(resource::uuid), '{}') FROM public.access_grant
     WHERE resource_kind = 'conversation' AND action IN ('read', 'write') AND current_user_id() IS NOT NULL
       AND resource ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
       AND (principal_kind = 'everyone'
            OR (principal_kind = 'user' AND principal = current_user_id()::text)
            OR (principal_kind = 'group'
                AND principal IN (SELECT group_id::text FROM public.group_member WHERE user_id = current_user_id()))
            OR (principal_kind = 'role' AND principal = current_user_role()))
$$;
