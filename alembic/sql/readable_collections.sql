-- The collections of others that the acting person may read: by a grant to them, their groups, their role, everyone.
-- What is attached to a conversation is nobody else's, whatever a grant says.
CREATE FUNCTION readable_collections() RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    SELECT coalesce(array_agg(DISTINCT collection.id), '{}')
      FROM access_grant JOIN collection
        ON collection.kind = 'library' AND access_grant.resource IN (collection.id::text, '*')
     WHERE resource_kind = 'collection' AND action IN ('read', 'write') AND acting_user() IS NOT NULL
       AND (principal_kind = 'everyone'
            OR (principal_kind = 'person' AND principal = acting_user()::text)
            OR (principal_kind = 'group'
                AND principal IN (SELECT group_id::text FROM group_member WHERE user_id = acting_user()))
            OR (principal_kind = 'role' AND principal = acting_role()))
$$;
