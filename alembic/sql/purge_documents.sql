-- Delete documents that have been in the trash for longer than this. Their files are deleted later, if unused.
CREATE FUNCTION purge_documents(p_after interval) RETURNS bigint
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
    DELETE FROM public.document WHERE document.deleted_at < now() - p_after;
    GET DIAGNOSTICS purged = ROW_COUNT;
    RETURN purged;
END $$;
