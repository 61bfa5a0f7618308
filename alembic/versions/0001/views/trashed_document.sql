-- The current user's documents in the trash, which the policies of `document` hide from every other query.
CREATE VIEW trashed_document WITH (security_barrier) AS
    SELECT id, collection_id, file_id, parent_id, name, size_bytes, version_series_id, version, version_state,
           created_at, deleted_at
      FROM public.document
     WHERE owner_id = current_user_id() AND deleted_at IS NOT NULL;
