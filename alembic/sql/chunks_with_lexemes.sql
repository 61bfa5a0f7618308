-- Return the chunks that match a full-text query, in scopes too large for a sequential scan.
-- Policies disable the GIN index, since its operator is not leakproof: this query contains their condition itself.
CREATE FUNCTION chunks_with_lexemes(p_query tsquery, p_collections uuid[], p_documents uuid[], p_limit integer)
RETURNS TABLE (owner_id uuid, id uuid, rank real)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET enable_seqscan = off
AS $$
    WITH said AS MATERIALIZED (
        SELECT chunk.owner_id, chunk.id, chunk.document_id, chunk.generation, ts_rank(chunk.lexemes, p_query) AS rank
          FROM public.chunk
         WHERE chunk.lexemes @@ p_query
           AND (chunk.collection_id = ANY (p_collections) OR chunk.document_id = ANY (p_documents))
           AND (chunk.owner_id = (SELECT current_user_id()) OR chunk.collection_id = ANY ((SELECT readable_collections())::uuid[]))
         LIMIT 20000)
    SELECT said.owner_id, said.id, said.rank
      FROM said JOIN public.document
        ON document.owner_id = said.owner_id AND document.id = said.document_id AND document.published_generation = said.generation
     ORDER BY said.rank DESC, said.id LIMIT p_limit
$$;
