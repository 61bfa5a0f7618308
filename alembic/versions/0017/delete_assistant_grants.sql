-- Delete the grants on a permanently deleted assistant.
CREATE FUNCTION delete_assistant_grants() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    DELETE FROM public.access_grant WHERE resource_kind = 'assistant' AND resource = OLD.id::text;
    RETURN NULL;
END $$;
