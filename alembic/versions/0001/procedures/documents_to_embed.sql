-- Documents that can be found and are not whole in this index, for whoever brings it up to date; one that has failed of late
-- is left alone for a while.
CREATE FUNCTION documents_to_embed(p_index integer, p_limit integer)
RETURNS TABLE (owner_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT document.owner_id, document.id FROM public.document
     WHERE document.published_generation IS NOT NULL AND document.state IN ('ready', 'failed')
       AND (document.embedded_index IS NULL OR document.embedded_index < p_index OR document.embedded_index > p_index)
       AND (document.retry_at IS NULL OR document.retry_at < now())
     ORDER BY coalesce(document.retry_at, document.created_at) LIMIT p_limit
$$;
