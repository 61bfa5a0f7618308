-- Delete abandoned uploads, files without a document, and attachments that were never sent. A trigger queues their objects for
-- deletion.
CREATE FUNCTION purge_uploads(p_after interval) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    -- It would include uploads in progress. Compared as times: an interval of minus eleven months and 330 days is not
    -- negative.
    IF now() - p_after > now() THEN
        RAISE EXCEPTION 'an interval below zero' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    DELETE FROM public.document USING public.stored_file AS file
     WHERE document.state = 'uploading' AND file.owner_id = document.owner_id AND file.id = document.file_id
       AND file.stored_at IS NULL AND file.touched_at < now() - p_after
       AND (file.finalize_lease_until IS NULL OR file.finalize_lease_until < now());
    -- Attachments of messages that were never sent.
    DELETE FROM public.collection WHERE kind = 'attachments' AND created_at < now() - interval '7 days' AND NOT EXISTS (
        SELECT FROM public.conversation_source AS known WHERE known.owner_id = collection.owner_id AND known.id = collection.id);
    WITH gone AS (
        SELECT file.owner_id, file.id FROM public.stored_file AS file
         WHERE file.touched_at < now() - p_after AND NOT EXISTS (
            SELECT FROM public.document WHERE document.owner_id = file.owner_id AND document.file_id = file.id)
         FOR UPDATE SKIP LOCKED)
    DELETE FROM public.stored_file AS file USING gone WHERE file.owner_id = gone.owner_id AND file.id = gone.id;
END $$;
