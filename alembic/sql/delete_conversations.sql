-- Delete conversations permanently that the current user has deleted, with their messages, events and grants; 200 of them for
-- NULL. Files that were attached to them belong to nothing afterwards, and are purged as such. Returns their number.
CREATE FUNCTION delete_conversations(p_conversations uuid[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    deleted uuid[];
BEGIN
    WITH gone AS (
        DELETE FROM public.conversation WHERE owner_id = current_user_id() AND id IN (
            SELECT id FROM public.conversation
             WHERE owner_id = current_user_id() AND deleted_at IS NOT NULL
               AND (p_conversations IS NULL OR id = ANY (p_conversations))
             ORDER BY deleted_at LIMIT 200)
        RETURNING id)
    SELECT array_agg(gone.id) INTO deleted FROM gone;
    DELETE FROM public.access_grant WHERE resource_kind = 'conversation' AND resource = ANY (deleted::text[]);
    RETURN coalesce(cardinality(deleted), 0);
END $$;
