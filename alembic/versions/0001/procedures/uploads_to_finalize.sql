-- Uploads whose last byte has arrived and that nobody has finished: their process died, or the store was away just then.
CREATE FUNCTION uploads_to_finalize(p_limit integer) RETURNS TABLE (owner_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT document.owner_id, document.id FROM public.document JOIN public.stored_file AS file
        ON file.owner_id = document.owner_id AND file.id = document.file_id
     WHERE document.state = 'uploading' AND file.stored_at IS NULL AND file.received_bytes = file.size_bytes
       AND file.touched_at < now() - interval '15 seconds'
       AND (file.finalize_lease_until IS NULL OR file.finalize_lease_until < now())
     ORDER BY file.touched_at LIMIT p_limit
$$;
