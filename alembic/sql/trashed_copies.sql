-- Everything that the acting user has in the trash, each version and attached file a row of its own: what an export holds of it.
CREATE FUNCTION trashed_copies()
RETURNS TABLE (id uuid, collection_id uuid, file_id uuid, name varchar, size_bytes bigint, created_at timestamptz,
               version integer, version_state varchar, deleted_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT document.id, document.collection_id, document.file_id, document.name, document.size_bytes, document.created_at,
           document.version, document.version_state, document.deleted_at
      FROM public.document
     WHERE document.owner_id = current_user_id() AND document.deleted_at IS NOT NULL
     ORDER BY document.created_at, document.id
$$;
