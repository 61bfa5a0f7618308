-- Pieces to be deleted from the store, the oldest first.
CREATE FUNCTION doomed_objects(p_limit integer) RETURNS SETOF varchar
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT object_key FROM public.doomed_object ORDER BY doomed_at LIMIT p_limit
$$;
