-- Uses up the open invitation of an address and says what it opens. For an address that a sign-in provider has
-- confirmed: who owns it may come without the link, too.
CREATE FUNCTION spend_invitation_of(p_email text)
RETURNS TABLE (id uuid, user_id uuid, email varchar, role varchar, group_ids varchar[], is_mailed boolean, created_by uuid)
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    UPDATE public.account_link SET used_at = now()
     WHERE account_link.id = (
        SELECT link.id FROM public.account_link AS link
         WHERE link.kind = 'invitation' AND email_key(link.email) = email_key(p_email) AND account_link_holds(link)
         ORDER BY link.created_at DESC LIMIT 1 FOR UPDATE)
    RETURNING account_link.id, account_link.user_id, account_link.email, account_link.role, account_link.group_ids,
              account_link.is_mailed, account_link.created_by
$$;
