-- The uploads of all users that have arrived completely and are not finalized: for maintenance.
CREATE VIEW received_upload WITH (security_barrier) AS
    SELECT document.owner_id, document.id, file.touched_at, file.finalize_lease_until
      FROM public.document JOIN public.stored_file AS file
        ON file.owner_id = document.owner_id AND file.id = document.file_id
     WHERE document.state = 'uploading' AND file.stored_at IS NULL AND file.received_bytes = file.size_bytes;
