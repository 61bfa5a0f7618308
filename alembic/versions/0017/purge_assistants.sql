-- Delete assistants of all users permanently that were deleted longer ago than this, 200 at once. Returns their number.
CREATE FUNCTION purge_assistants(p_after interval) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    purged bigint;
BEGIN
    -- Compared as times: an interval of minus eleven months and 331 days is positive, but leads into the future.
    IF now() - p_after > now() - interval '1 day' THEN
        RAISE EXCEPTION 'an interval below a day' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    WITH oldest AS (
        SELECT owner_id, id FROM public.assistant WHERE deleted_at < now() - p_after
         ORDER BY deleted_at LIMIT 200 FOR UPDATE SKIP LOCKED)
    DELETE FROM public.assistant AS old USING oldest WHERE old.owner_id = oldest.owner_id AND old.id = oldest.id;
    GET DIAGNOSTICS purged = ROW_COUNT;
    RETURN purged;
END $$;
