-- Documents that can be found, and whose words were indexed by older rules than these.
CREATE FUNCTION documents_to_reindex(p_version integer, p_limit integer)
RETURNS TABLE (owner_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT document.owner_id, document.id FROM public.document
     WHERE document.published_generation IS NOT NULL AND document.lexeme_version < p_version
     ORDER BY document.lexeme_version LIMIT p_limit
$$;
