-- The files of what the acting user has in the trash, of a collection that is deleted with it.
CREATE FUNCTION trashed_files(p_collection uuid) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT DISTINCT document.file_id FROM public.document
     WHERE document.owner_id = current_user_id() AND document.collection_id = p_collection AND document.deleted_at IS NOT NULL
$$;
