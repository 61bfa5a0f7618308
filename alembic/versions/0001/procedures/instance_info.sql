-- By what name the file store knows whose it is, and whether there is anything in it that this installation remembers.
CREATE FUNCTION instance_info() RETURNS TABLE (id uuid, has_files boolean)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT instance.id, EXISTS (SELECT FROM public.file_part) FROM public.instance
$$;
