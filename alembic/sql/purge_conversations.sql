-- Delete conversations of all users permanently that were deleted longer ago than this, 200 at once. Returns their number.
CREATE FUNCTION purge_conversations(p_after interval) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    purged uuid[];
BEGIN
    -- Compared as times: an interval of minus eleven months and 331 days is positive, but leads into the future.
    IF now() - p_after > now() - interval '1 day' THEN
        RAISE EXCEPTION 'an interval below a day' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    WITH oldest AS (
        SELECT owner_id, id FROM public.conversation WHERE deleted_at < now() - p_after
         ORDER BY deleted_at LIMIT 200 FOR UPDATE SKIP LOCKED),
    gone AS (
        DELETE FROM public.conversation AS old USING oldest
         WHERE old.owner_id = oldest.owner_id AND old.id = oldest.id RETURNING old.id)
    SELECT array_agg(gone.id) INTO purged FROM gone;
    DELETE FROM public.access_grant WHERE resource_kind = 'conversation' AND resource = ANY (purged::text[]);
    RETURN coalesce(cardinality(purged), 0);
END $$;
