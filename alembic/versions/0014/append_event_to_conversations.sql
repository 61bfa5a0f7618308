-- Append one event to each of these conversations of the current user that it changes, and send notifications. `p_times` names the
-- columns that the event sets to the current time (true) or clears (false): pinned_at, archived_at, deleted_at. Deleted conversations
-- are changed only by what deletes or restores them. Returns the changed ones; NULL, and changes nothing, if one of them is unknown or
-- another user's.
CREATE FUNCTION append_event_to_conversations(p_conversations uuid[], p_type text, p_data jsonb, p_times jsonb) RETURNS uuid[]
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    known bigint;
    changed uuid[];
BEGIN
    -- In the same order each time, so that two users of this procedure do not wait for each other.
    SELECT count(*) INTO known FROM (
        SELECT id FROM public.conversation WHERE owner_id = current_user_id() AND id = ANY (p_conversations)
         ORDER BY id FOR UPDATE) AS locked;
    IF known IS DISTINCT FROM (SELECT count(DISTINCT wanted) FROM unnest(p_conversations) AS wanted) THEN
        RETURN NULL;
    END IF;
    WITH appended AS (
        UPDATE public.conversation SET seq = seq + 1,
               pinned_at = CASE (p_times -> 'pinned_at')::boolean WHEN true THEN now() WHEN false THEN NULL ELSE pinned_at END,
               archived_at = CASE (p_times -> 'archived_at')::boolean WHEN true THEN now() WHEN false THEN NULL ELSE archived_at END,
               deleted_at = CASE (p_times -> 'deleted_at')::boolean WHEN true THEN now() WHEN false THEN NULL ELSE deleted_at END
         WHERE owner_id = current_user_id() AND id = ANY (p_conversations)
           AND (deleted_at IS NULL OR p_times ? 'deleted_at')
           AND ((pinned_at IS NULL) = (p_times -> 'pinned_at')::boolean OR (archived_at IS NULL) = (p_times -> 'archived_at')::boolean
                OR (deleted_at IS NULL) = (p_times -> 'deleted_at')::boolean)
        RETURNING id, seq),
    events AS (
        INSERT INTO public.conversation_event (owner_id, conversation_id, seq, type, data, actor_id)
        SELECT current_user_id(), appended.id, appended.seq, p_type, p_data, current_user_id() FROM appended)
    SELECT coalesce(array_agg(appended.id), '{}') INTO changed FROM appended;
    PERFORM pg_notify('rxchat', 'conversation ' || current_user_id() || ' ' || conversation) FROM unnest(changed) AS conversation;
    RETURN changed;
END $$;
