-- Append an audit event to the hash chain, in the caller's transaction. The runtime role cannot write the table itself.
-- Writers are serialized until they commit, so that the chain has no gap and no fork.
CREATE FUNCTION append_audit_entry(
    p_id uuid, p_actor uuid, p_action text, p_address text, p_correlation text, p_data jsonb
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    entry public.audit_event;
BEGIN
    IF p_actor IS NOT NULL AND p_actor IS DISTINCT FROM current_user_id() THEN
        RAISE EXCEPTION 'in the name of another user' USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM pg_advisory_xact_lock(7239003);
    SELECT seq + 1, hash INTO entry.seq, entry.previous_hash FROM public.audit_event ORDER BY seq DESC LIMIT 1;
    IF NOT FOUND THEN
        entry.seq := 1;
        entry.previous_hash := decode(repeat('00', 32), 'hex');
    END IF;
    entry.id := p_id;
    entry.at := clock_timestamp();
    entry.actor_id := p_actor;
    entry.action := p_action;
    entry.address := p_address;
    entry.correlation_id := p_correlation;
    entry.data := p_data;
    entry.hash := audit_hash(entry, entry.previous_hash);
    INSERT INTO public.audit_event (id, at, actor_id, action, address, correlation_id, data, seq, previous_hash, hash)
    VALUES (entry.id, entry.at, entry.actor_id, entry.action, entry.address, entry.correlation_id, entry.data,
            entry.seq, entry.previous_hash, entry.hash);
    RETURN entry.seq;
END $$;
