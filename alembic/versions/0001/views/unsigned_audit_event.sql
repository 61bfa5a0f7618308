-- The audit events after the last checkpoint, without what they say: for signing.
CREATE VIEW unsigned_audit_event WITH (security_barrier) AS
    WITH last AS (
        SELECT coalesce(max(seq), 0) AS seq, max(signed_at) AS signed_at FROM public.audit_checkpoint
    ), newest AS (
        SELECT seq FROM public.audit_event ORDER BY seq DESC LIMIT 1
    )
    SELECT event.seq, event.hash, event.seq = newest.seq AS is_newest, last.signed_at AS last_signed_at
      FROM public.audit_event AS event, last, newest
     WHERE event.seq > last.seq;
