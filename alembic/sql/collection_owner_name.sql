-- Return the name of a collection's owner to a user who may read it, if they share a group or the owner has shared something
-- with the user directly. Otherwise NULL, as for a collection that the user may not read.
CREATE FUNCTION collection_owner_name(p_collection uuid) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT account.name
      FROM public.collection JOIN public.user_account AS account ON account.id = collection.owner_id
     WHERE collection.id = p_collection
       AND (collection.owner_id = current_user_id()
            OR (collection.id = ANY ((SELECT readable_collections())::uuid[])
                AND (EXISTS (SELECT FROM public.group_member AS mine JOIN public.group_member AS theirs USING (group_id)
                              WHERE mine.user_id = current_user_id() AND theirs.user_id = account.id)
                     OR EXISTS (SELECT FROM public.access_grant AS given
                                 WHERE given.created_by = account.id AND given.principal_kind = 'user'
                                   AND given.principal = current_user_id()::text))))
$$;
