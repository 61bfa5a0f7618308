-- Move documents of the current user to the trash, and delete their chunks. If the trash is larger than the limits, delete its
-- oldest documents and return their files.
CREATE FUNCTION trash_documents(p_documents uuid[], p_most_bytes bigint, p_most_documents integer) RETURNS SETOF uuid
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    DELETE FROM public.chunk WHERE chunk.owner_id = current_user_id() AND chunk.document_id = ANY (p_documents);
    -- Jobs have nothing left to do: restoring a document that was not ready ingests it again.
    UPDATE public.document
       SET deleted_at = now(), updated_at = now(), fence = fence + 1, published_generation = NULL, embedded_index = NULL,
           chunks = 0, status_text = '', state = CASE WHEN state = 'failed' THEN state ELSE 'ready' END
     WHERE document.owner_id = current_user_id() AND document.id = ANY (p_documents)
       AND document.deleted_at IS NULL AND document.state <> 'uploading';
    RETURN QUERY DELETE FROM public.document USING (
        SELECT kept.id, sum(kept.size_bytes) OVER newest AS bytes, row_number() OVER newest AS number
          FROM public.document AS kept WHERE kept.owner_id = current_user_id() AND kept.deleted_at IS NOT NULL
        WINDOW newest AS (ORDER BY kept.deleted_at DESC, kept.id)) AS ranked
     WHERE document.owner_id = current_user_id() AND document.id = ranked.id
       AND (ranked.bytes > p_most_bytes OR ranked.number > p_most_documents)
    RETURNING document.file_id;
END $$;
