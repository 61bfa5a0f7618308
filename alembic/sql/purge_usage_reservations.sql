-- Delete reservations of processes that died an hour ago, and counters of periods that ended long ago. Returns their number.
CREATE FUNCTION purge_usage_reservations() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    purged bigint;
BEGIN
    DELETE FROM public.quota_counter WHERE id IN (
        SELECT id FROM public.quota_counter WHERE period_start < current_date - 62 LIMIT 1000 FOR UPDATE SKIP LOCKED);
    DELETE FROM public.usage_reservation WHERE id IN (
        SELECT id FROM public.usage_reservation WHERE expires_at < clock_timestamp() - interval '1 hour'
         LIMIT 1000 FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS purged = ROW_COUNT;
    RETURN purged;
END $$;
