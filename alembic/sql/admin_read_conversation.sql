-- Return the messages of a user's conversation to an administrator, and record the reason in the audit log, in one transaction.
CREATE FUNCTION admin_read_conversation(
    p_conversation uuid, p_reason text, p_address text, p_correlation text, p_entry uuid
) RETURNS TABLE (role varchar, text varchar, model varchar, created_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    owner uuid;
BEGIN
    IF NOT current_user_can('conversations.read_any') OR length(btrim(p_reason)) < 10 THEN
        RAISE EXCEPTION 'not without the right and a reason' USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT conversation.owner_id INTO owner FROM public.conversation WHERE conversation.id = p_conversation;
    IF owner IS NULL THEN
        RETURN;
    END IF;
    PERFORM append_audit_entry(p_entry, current_user_id(), 'conversation_read', p_address, p_correlation,
        jsonb_build_object('user', owner, 'conversation', p_conversation, 'reason', p_reason));
    RETURN QUERY SELECT message.role, message.text, message.model, message.created_at FROM public.message
                  WHERE message.owner_id = owner AND message.conversation_id = p_conversation ORDER BY message.seq;
END $$;
