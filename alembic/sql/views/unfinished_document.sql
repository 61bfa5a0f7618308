-- The documents of all users that wait for ingestion or are being ingested: for maintenance.
CREATE VIEW unfinished_document WITH (security_barrier) AS
    SELECT owner_id, id, updated_at
      FROM public.document
     WHERE state NOT IN ('uploading', 'ready', 'failed');
