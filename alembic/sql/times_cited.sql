-- Return in how many answers of all users each document is cited, for documents that the current user may read.
CREATE FUNCTION times_cited(p_documents uuid[]) RETURNS TABLE (document_id uuid, answers bigint)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT source.document_id, count(DISTINCT source.message_id)
      FROM public.message_source AS source JOIN public.document
        ON document.owner_id = source.document_owner_id AND document.id = source.document_id
     WHERE source.is_cited AND source.document_id = ANY (p_documents)
       AND (document.owner_id = current_user_id() OR document.collection_id = ANY ((SELECT readable_collections())::uuid[]))
     GROUP BY source.document_id
$$;
