-- Delete some vectors of retired indexes, and the index once it has none. Returns whether there is more to delete.
-- Dropping an index blocks searches, so it is emptied first.
CREATE FUNCTION purge_retired_vectors(p_limit integer) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE gone integer; old integer;
BEGIN
    SELECT min(id) INTO old FROM public.embedding_index WHERE state = 'retired';
    IF old IS NULL OR NOT pg_try_advisory_xact_lock(hashtext('rxchat embedding index')) THEN
        RETURN false;
    END IF;
    DELETE FROM public.chunk_vector WHERE ctid IN (SELECT ctid FROM public.chunk_vector WHERE index_id = old LIMIT p_limit);
    GET DIAGNOSTICS gone = ROW_COUNT;
    IF gone = 0 THEN
        EXECUTE format('DROP INDEX IF EXISTS ix_chunk_vector_hnsw_%s', old);
        DELETE FROM public.embedding_index WHERE id = old AND state = 'retired';
    END IF;
    RETURN true;
END $$;
