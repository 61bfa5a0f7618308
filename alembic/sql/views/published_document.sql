-- The documents of all users that are searched, and how far their indexes are: for maintenance.
CREATE VIEW published_document WITH (security_barrier) AS
    SELECT owner_id, id, state, embedded_index, lexeme_version, retry_at, created_at
      FROM public.document
     WHERE published_generation IS NOT NULL;
