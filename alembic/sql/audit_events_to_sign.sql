-- The rows of the chain that want a checkpoint: every p_every-th, and the newest once p_age has passed since the last.
CREATE FUNCTION audit_events_to_sign(p_every integer, p_age interval) RETURNS TABLE (seq bigint, hash bytea)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    WITH last AS (
        SELECT coalesce(max(audit_checkpoint.seq), 0) AS seq, max(signed_at) AS at FROM public.audit_checkpoint
    ), newest AS (
        SELECT audit_event.seq FROM public.audit_event ORDER BY audit_event.seq DESC LIMIT 1
    )
    SELECT audit_event.seq, audit_event.hash FROM public.audit_event, last
     WHERE audit_event.seq > last.seq
       AND (audit_event.seq % p_every = 0
            OR (audit_event.seq = (SELECT newest.seq FROM newest)
                AND coalesce(last.at, '-infinity') < now() - p_age))
     ORDER BY audit_event.seq
$$;
