-- The chunks of large scopes that hold the rarest of some words, for full text over more than can be read through.
-- Policies would hide the index on words (its operator may tell what it has seen): the same rule is part of this query.
CREATE FUNCTION chunks_with_words(p_words tsquery, p_collections uuid[], p_limit integer)
RETURNS TABLE (owner_id uuid, id uuid, rank real)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    SELECT found.owner_id, found.id, ts_rank(found.words, p_words) AS rank
      FROM (SELECT chunk.owner_id, chunk.id, chunk.words FROM chunk JOIN document
                ON document.owner_id = chunk.owner_id AND document.id = chunk.document_id
                   AND document.live_generation = chunk.generation
             WHERE chunk.words @@ p_words AND chunk.collection_id = ANY (p_collections)
               AND (chunk.owner_id = acting_user() OR chunk.collection_id = ANY ((SELECT readable_collections())::uuid[]))
             LIMIT 5000) AS found
     ORDER BY rank DESC LIMIT p_limit
$$;
