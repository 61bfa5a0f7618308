-- Append events after `p_expected_seq`, send a notification, and return the seq of the last one.
-- The conversation shows the branch that ends with `p_leaf` from then on; NULL leaves it as it is.
-- Refuses a writer that has not seen the latest event with SQLSTATE RX001 (stale conversation).
CREATE FUNCTION append_conversation_events(
    p_owner uuid, p_conversation uuid, p_expected_seq integer, p_types text[], p_data jsonb[], p_leaf uuid
) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF current_user_id() IS DISTINCT FROM p_owner THEN
        RAISE EXCEPTION 'conversation of another user' USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- What is about the conversation as a whole, and a rating, leave its place in the list.
    UPDATE public.conversation SET seq = seq + cardinality(p_types), leaf_id = coalesce(p_leaf, leaf_id),
           answered_seq = coalesce(seq + array_position(p_types, 'answer_ended'), answered_seq),
           updated_at = CASE WHEN p_types <@ ARRAY['conversation_renamed', 'conversation_pinned', 'conversation_archived',
                                                   'conversation_removed', 'conversation_restored', 'answer_rated']
                             THEN updated_at ELSE clock_timestamp() END
     WHERE owner_id = p_owner AND id = p_conversation AND seq = p_expected_seq;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'conversation % is not at seq %', p_conversation, p_expected_seq USING ERRCODE = 'RX001';
    END IF;
    INSERT INTO public.conversation_event (owner_id, conversation_id, seq, type, data, actor_id)
    SELECT p_owner, p_conversation, p_expected_seq + event.position, event.type, event.data, current_user_id()
      FROM unnest(p_types, p_data) WITH ORDINALITY AS event (type, data, position);
    PERFORM pg_notify('rxchat', 'conversation ' || p_owner || ' ' || p_conversation);
    RETURN p_expected_seq + cardinality(p_types);
END $$;
