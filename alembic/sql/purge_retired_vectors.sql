-- Deletes some of the vectors of indexes that are not in force any more; when none is left, the index itself. True while
-- there is something to do. Dropping an index makes searches wait: so it is empty by then.
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
