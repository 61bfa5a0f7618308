-- Delete the grants on a permanently deleted prompt.
CREATE FUNCTION delete_prompt_grants() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    DELETE FROM public.access_grant WHERE resource_kind = 'prompt' AND resource = OLD.id::text;
    RETURN NULL;
END $$;
