-- Writes one audit row in the caller's transaction; the runtime role can call this and cannot touch the table.
CREATE FUNCTION append_audit_event(
    p_id uuid, p_actor uuid, p_action text, p_address text, p_correlation text, p_data jsonb
) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
    INSERT INTO audit_event (id, actor_id, action, address, correlation_id, data)
    VALUES (p_id, p_actor, p_action, p_address, p_correlation, p_data)
$$;
