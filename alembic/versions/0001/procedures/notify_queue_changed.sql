-- Notify open pages that the queued messages of a conversation have changed.
CREATE FUNCTION notify_queue_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE changed public.queued_message := coalesce(NEW, OLD);
BEGIN
    PERFORM pg_notify('rxchat', 'conversation ' || changed.owner_id || ' ' || changed.conversation_id);
    RETURN NULL;
END $$;
