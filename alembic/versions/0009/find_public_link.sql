-- Return the snapshot behind a public link that is valid: its owner is active, and its conversation is not deleted.
CREATE FUNCTION find_public_link(p_hash bytea)
RETURNS TABLE (id uuid, title varchar, messages jsonb, password_hash varchar, created_at timestamptz, expires_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT link.id, link.title, link.messages, link.password_hash, link.created_at, link.expires_at
      FROM public.public_link AS link
      JOIN public.user_account ON user_account.id = link.owner_id AND user_account.suspended_at IS NULL
                              AND user_account.deletion_at IS NULL
      JOIN public.conversation ON conversation.owner_id = link.owner_id AND conversation.id = link.conversation_id
                              AND conversation.deleted_at IS NULL
     WHERE link.hash = p_hash AND (link.expires_at IS NULL OR link.expires_at > now())
$$;
