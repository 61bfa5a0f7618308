-- Move documents of the acting user's to the trash: they are seen and searched no more, and can be restored for a while.
-- Their chunks and vectors go; texts and files stay. Of a trash that is larger than this the oldest are deleted for good:
-- of these the files are returned.
CREATE FUNCTION trash_documents(p_documents uuid[], p_most_bytes bigint, p_most_documents integer) RETURNS SETOF uuid
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    DELETE FROM public.chunk WHERE chunk.owner_id = current_user_id() AND chunk.document_id = ANY (p_documents);
    -- Nothing is left to do for jobs: what is not ready is read to its end when it is restored.
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
