-- Restore a document of the current user from the trash, with the versions and attached files that were deleted with it.
-- Returns all of them; those in state 'stored' or 'parsed' must be ingested.
CREATE FUNCTION restore_documents(p_document uuid) RETURNS TABLE (id uuid, state varchar)
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    WITH RECURSIVE asked AS (
        SELECT document.owner_id, document.version_series_id, document.deleted_at FROM public.document
         WHERE document.owner_id = current_user_id() AND document.id = p_document AND document.deleted_at IS NOT NULL),
    whole AS (
        SELECT document.owner_id, document.id, document.deleted_at
          FROM asked JOIN public.document ON document.owner_id = asked.owner_id
               AND document.version_series_id = asked.version_series_id AND document.deleted_at = asked.deleted_at
        UNION
        SELECT child.owner_id, child.id, child.deleted_at
          FROM whole JOIN public.document AS child
            ON child.owner_id = whole.owner_id AND child.parent_id = whole.id AND child.deleted_at = whole.deleted_at),
    said AS (
        SELECT whole.id, max(document_text.generation) AS generation
          FROM whole LEFT JOIN public.document_text
            ON document_text.owner_id = whole.owner_id AND document_text.document_id = whole.id
         GROUP BY whole.id)
    UPDATE public.document
       SET deleted_at = NULL, updated_at = now(), fence = document.fence + 1, progress = 0, attempts = 0, retry_at = NULL,
           generation = coalesce(said.generation, document.generation),
           -- Purging a mail that stays in the trash would delete its attached file.
           parent_id = (SELECT parent.id FROM public.document AS parent
                         WHERE parent.owner_id = document.owner_id AND parent.id = document.parent_id
                           AND (parent.deleted_at IS NULL OR parent.id IN (SELECT whole.id FROM whole))),
           status_detail = '', error = CASE WHEN said.generation IS NULL THEN document.error ELSE '' END,
           state = CASE WHEN document.version_state = 'superseded' THEN document.state
                        WHEN said.generation IS NOT NULL THEN 'parsed'
                        WHEN document.state = 'failed' THEN 'failed' ELSE 'stored' END
      FROM said WHERE document.owner_id = current_user_id() AND document.id = said.id
    RETURNING document.id, document.state
$$;
