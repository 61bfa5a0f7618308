-- Delete the open invitations to an address before a new one is created.
CREATE FUNCTION replace_invitations(p_email text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    replaced integer;
BEGIN
    IF NOT current_user_can('users.invite') THEN
        RAISE EXCEPTION 'not without the right to invite' USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- Serialized: of two simultaneous invitations to one address, the later one stays.
    PERFORM pg_advisory_xact_lock(hashtext('rxchat invitation ' || email_key(p_email)));
    DELETE FROM public.account_token AS link
     WHERE link.kind = 'invitation' AND link.used_at IS NULL AND email_key(link.email) = email_key(p_email);
    GET DIAGNOSTICS replaced = ROW_COUNT;
    RETURN replaced;
END $$;
