-- Return the assistants of other users on which the current user was granted one of these actions, directly or by group, role or
-- everyone. Deleted ones are not included: their owner alone may restore them.
CREATE FUNCTION granted_assistants(p_actions text[]) RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    WITH given AS MATERIALIZED (
        SELECT DISTINCT resource FROM public.access_grant
         WHERE resource_kind = 'assistant' AND action = ANY (p_actions) AND current_user_id() IS NOT NULL
           AND (principal_kind = 'everyone'
                OR (principal_kind = 'user' AND principal = current_user_id()::text)
                OR (principal_kind = 'group'
                    AND principal IN (SELECT group_id::text FROM public.group_member WHERE user_id = current_user_id()))
                OR (principal_kind = 'role' AND principal = current_user_role()))),
    named AS MATERIALIZED (
        SELECT resource::uuid AS id FROM given WHERE resource ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$')
    SELECT coalesce(array_agg(assistant.id), '{}')
      FROM named JOIN public.assistant ON assistant.id = named.id WHERE assistant.deleted_at IS NULL
$$;
