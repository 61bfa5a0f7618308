-- What the people are called with whom the acting person has shared a collection of their own.
CREATE FUNCTION principal_names(p_collection uuid) RETURNS TABLE (principal varchar, name varchar)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT access_grant.principal, coalesce(person.name, team.name, access_grant.principal)
      FROM public.access_grant
      LEFT JOIN public.user_account AS person ON access_grant.principal_kind = 'person' AND person.id::text = access_grant.principal
      LEFT JOIN public.user_group AS team ON access_grant.principal_kind = 'group' AND team.id::text = access_grant.principal
     WHERE access_grant.resource_kind = 'collection' AND access_grant.resource = p_collection::text
       AND EXISTS (SELECT FROM public.collection WHERE collection.owner_id = acting_user() AND collection.id = p_collection)
$$;
