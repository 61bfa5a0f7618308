-- Delete conversations of all users permanently that were deleted longer ago than this. Returns their number.
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
    WITH gone AS (DELETE FROM public.conversation WHERE deleted_at < now() - p_after RETURNING id)
    SELECT array_agg(gone.id) INTO purged FROM gone;
    DELETE FROM public.access_grant WHERE resource_kind = 'conversation' AND resource = ANY (purged::text[]);
    RETURN coalesce(cardinality(purged), 0);
END $$;
