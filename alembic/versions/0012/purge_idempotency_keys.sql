-- Delete the answers of all users that were kept for a day, 200 at once. Returns their number.
CREATE FUNCTION purge_idempotency_keys() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    purged bigint;
BEGIN
    WITH oldest AS (
        SELECT owner_id, key FROM public.idempotency_key WHERE created_at < now() - interval '24 hours'
         ORDER BY created_at LIMIT 200 FOR UPDATE SKIP LOCKED)
    DELETE FROM public.idempotency_key AS old USING oldest WHERE old.owner_id = oldest.owner_id AND old.key = oldest.key;
    GET DIAGNOSTICS purged = ROW_COUNT;
    RETURN purged;
END $$;
