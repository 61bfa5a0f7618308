-- Pieces to be deleted from the store, the oldest first.
CREATE FUNCTION pending_object_deletions(p_limit integer) RETURNS SETOF varchar
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT object_key FROM public.object_deletion ORDER BY enqueued_at LIMIT p_limit
$$;
