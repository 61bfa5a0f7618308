-- By what name the file store knows whose it is, and whether there is anything in it that this installation remembers.
CREATE FUNCTION this_installation() RETURNS TABLE (id uuid, keeps_files boolean)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT installation.id, EXISTS (SELECT FROM public.file_part) FROM public.installation
$$;
