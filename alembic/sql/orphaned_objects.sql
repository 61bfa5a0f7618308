-- Return which of these objects belong to no file: a process stored them and died before it recorded them.
CREATE FUNCTION orphaned_objects(p_keys text[]) RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT key FROM unnest(p_keys) AS key
     WHERE NOT EXISTS (SELECT FROM public.file_part WHERE file_part.object_key = key)
       AND NOT EXISTS (SELECT FROM public.object_deletion WHERE object_deletion.object_key = key)
$$;
