-- Appends an event as the next one after `p_expected_seq`, tells whoever listens, and returns its seq.
-- A writer who has not seen the latest event is refused with SQLSTATE RX001 (stale conversation).
CREATE FUNCTION append_conversation_event(
    p_owner uuid, p_conversation uuid, p_expected_seq integer, p_type text, p_data jsonb
) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
BEGIN
    IF acting_user() IS DISTINCT FROM p_owner THEN
        RAISE EXCEPTION 'conversation of another user' USING ERRCODE = 'insufficient_privilege';
    END IF;
    UPDATE conversation SET seq = seq + 1, updated_at = clock_timestamp()
     WHERE owner_id = p_owner AND id = p_conversation AND seq = p_expected_seq;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'conversation % is not at seq %', p_conversation, p_expected_seq USING ERRCODE = 'RX001';
    END IF;
    INSERT INTO conversation_event (owner_id, conversation_id, seq, type, data, actor_id)
    VALUES (p_owner, p_conversation, p_expected_seq + 1, p_type, p_data, acting_user());
    PERFORM pg_notify('rxchat', 'conversation ' || p_owner || ' ' || p_conversation);
    RETURN p_expected_seq + 1;
END $$;
