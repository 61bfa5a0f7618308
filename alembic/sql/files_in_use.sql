-- Which of these files of the acting user's documents are made of, those in the trash too.
CREATE FUNCTION files_in_use(p_files uuid[]) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT DISTINCT document.file_id FROM public.document
     WHERE document.owner_id = current_user_id() AND document.file_id = ANY (p_files)
$$;
