-- The documents in the trash of the acting user, as they were deleted: files attached to a mail, and versions of a document
-- that were deleted with it, are in it, and not listed.
CREATE FUNCTION trashed_documents(p_collection uuid)
RETURNS TABLE (id uuid, collection_id uuid, name varchar, size_bytes bigint, deleted_at timestamptz, documents bigint, bytes bigint)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    WITH RECURSIVE top AS (
        SELECT document.* FROM public.document LEFT JOIN public.document AS parent
            ON parent.owner_id = document.owner_id AND parent.id = document.parent_id AND parent.deleted_at = document.deleted_at
         WHERE document.owner_id = current_user_id() AND document.deleted_at IS NOT NULL AND document.version_state = 'current'
           AND parent.id IS NULL AND (p_collection IS NULL OR document.collection_id = p_collection)),
    whole AS (
        SELECT top.id AS top_id, document.id, document.size_bytes, document.deleted_at
          FROM top JOIN public.document ON document.owner_id = top.owner_id AND document.version_series_id = top.version_series_id
               AND document.deleted_at = top.deleted_at
        UNION
        SELECT whole.top_id, child.id, child.size_bytes, child.deleted_at
          FROM whole JOIN public.document AS child
            ON child.owner_id = current_user_id() AND child.parent_id = whole.id AND child.deleted_at = whole.deleted_at)
    SELECT top.id, top.collection_id, top.name, top.size_bytes, top.deleted_at, count(whole.id), sum(whole.size_bytes)::bigint
      FROM top JOIN whole ON whole.top_id = top.id
     GROUP BY top.id, top.collection_id, top.name, top.size_bytes, top.deleted_at
     ORDER BY top.deleted_at DESC, top.id
$$;
