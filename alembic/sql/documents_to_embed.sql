-- Documents that can be found and have chunks without a vector in this index, for whoever brings a new index up to date.
CREATE FUNCTION documents_to_embed(p_index integer, p_limit integer)
RETURNS TABLE (owner_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT document.owner_id, document.id FROM document
     WHERE document.live_generation IS NOT NULL AND document.state IN ('ready', 'failed')
       AND EXISTS (
        SELECT FROM chunk WHERE chunk.owner_id = document.owner_id AND chunk.document_id = document.id
           AND chunk.generation = document.live_generation
           AND NOT EXISTS (SELECT FROM chunk_vector AS made WHERE made.owner_id = chunk.owner_id
                              AND made.chunk_id = chunk.id AND made.index_id = p_index))
     ORDER BY document.created_at LIMIT p_limit
$$;
