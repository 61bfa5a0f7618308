-- Mark the open invitation of an address as used and return it. Call for an address that a sign-in provider has verified: its
-- owner does not need the link.
CREATE FUNCTION consume_invitation(p_email text)
RETURNS TABLE (id uuid, user_id uuid, email varchar, role varchar, group_ids varchar[], is_mailed boolean, created_by uuid)
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    UPDATE public.account_token SET used_at = now()
     WHERE account_token.id = (
        SELECT link.id FROM public.account_token AS link
         WHERE link.kind = 'invitation' AND email_key(link.email) = email_key(p_email) AND account_token_is_valid(link)
         ORDER BY link.created_at DESC LIMIT 1 FOR UPDATE)
    RETURNING account_token.id, account_token.user_id, account_token.email, account_token.role, account_token.group_ids,
              account_token.is_mailed, account_token.created_by
$$;
