-- Delete the grants on a deleted collection.
CREATE FUNCTION delete_collection_grants() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    DELETE FROM public.access_grant WHERE resource_kind = 'collection' AND resource = OLD.id::text;
    RETURN NULL;
END $$;
