-- Puts an index in force once every document that can be found has all its vectors in it; the one of before goes, with
-- its vectors. False as long as something is missing.
CREATE FUNCTION activate_embedding_index(p_index integer) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public
SET statement_timeout = 0
AS $$
DECLARE before integer;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('rxchat embedding index'));
    SELECT id INTO before FROM embedding_index WHERE state = 'active';
    IF before = p_index THEN
        RETURN true;
    END IF;
    IF EXISTS (
        SELECT FROM document JOIN chunk ON chunk.owner_id = document.owner_id AND chunk.document_id = document.id
                                       AND chunk.generation = document.live_generation
         WHERE NOT EXISTS (SELECT FROM chunk_vector AS made WHERE made.owner_id = chunk.owner_id
                              AND made.chunk_id = chunk.id AND made.index_id = p_index)) THEN
        RETURN false;
    END IF;
    UPDATE embedding_index SET state = 'retired' WHERE id = before;
    UPDATE embedding_index SET state = 'active' WHERE id = p_index;
    EXECUTE format('DROP INDEX IF EXISTS ix_chunk_vector_hnsw_%s', before);
    DELETE FROM chunk_vector WHERE index_id = before;
    DELETE FROM embedding_index WHERE id = before;
    RETURN true;
END $$;
