-- Return the collections of other users that the current user was granted to read, directly or by group, role or everyone.
-- Attachments of a conversation are never included, whatever a grant says.
CREATE FUNCTION readable_collections() RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    WITH given AS MATERIALIZED (
        SELECT DISTINCT resource FROM public.access_grant
         WHERE resource_kind = 'collection' AND action IN ('read', 'write') AND current_user_id() IS NOT NULL
           AND (principal_kind = 'everyone'
                OR (principal_kind = 'user' AND principal = current_user_id()::text)
                OR (principal_kind = 'group'
                    AND principal IN (SELECT group_id::text FROM public.group_member WHERE user_id = current_user_id()))
                OR (principal_kind = 'role' AND principal = current_user_role()))),
    named AS MATERIALIZED (
        SELECT resource::uuid AS id FROM given WHERE resource ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$')
    SELECT coalesce(array_agg(found.id), '{}') FROM (
        SELECT collection.id FROM named JOIN public.collection ON collection.id = named.id WHERE collection.kind = 'library'
        UNION
        SELECT collection.id FROM public.collection
         WHERE collection.kind = 'library' AND EXISTS (SELECT FROM given WHERE resource = '*')) AS found
$$;
