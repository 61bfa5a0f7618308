-- The chunks of large scopes that hold some words, for full text over more than can be read through.
-- Policies would hide the index on words (its operator may tell what it has seen): the same rule is part of this query.
CREATE FUNCTION chunks_with_words(p_words tsquery, p_collections uuid[], p_documents uuid[], p_limit integer)
RETURNS TABLE (owner_id uuid, id uuid, rank real)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public
SET enable_seqscan = off
AS $$
    WITH said AS MATERIALIZED (
        SELECT chunk.owner_id, chunk.id, chunk.document_id, chunk.generation, chunk.collection_id, ts_rank(chunk.words, p_words) AS rank
          FROM chunk WHERE chunk.words @@ p_words LIMIT 20000)
    SELECT said.owner_id, said.id, said.rank
      FROM said JOIN document
        ON document.owner_id = said.owner_id AND document.id = said.document_id AND document.live_generation = said.generation
     WHERE (said.collection_id = ANY (p_collections) OR said.document_id = ANY (p_documents))
       AND (said.owner_id = acting_user() OR said.collection_id = ANY ((SELECT readable_collections())::uuid[]))
     ORDER BY said.rank DESC LIMIT p_limit
$$;
