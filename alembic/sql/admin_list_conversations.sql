-- List a user's conversations for an administrator, and record the reason in the audit log, in one transaction.
CREATE FUNCTION admin_list_conversations(
    p_owner uuid, p_reason text, p_address text, p_correlation text, p_entry uuid
) RETURNS TABLE (id uuid, title varchar, updated_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF NOT current_user_can('conversations.read_any') OR length(btrim(p_reason)) < 10 THEN
        RAISE EXCEPTION 'not without the right and a reason' USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM append_audit_entry(p_entry, current_user_id(), 'conversations_listed', p_address, p_correlation,
                               jsonb_build_object('user', p_owner, 'reason', p_reason));
    RETURN QUERY SELECT conversation.id, conversation.title, conversation.updated_at FROM public.conversation
                  WHERE conversation.owner_id = p_owner AND conversation.deleted_at IS NULL
                  ORDER BY conversation.updated_at DESC LIMIT 500;
END $$;
