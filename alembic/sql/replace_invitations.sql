-- Withdraws the open invitations of an address, whoever sent them, because a newer one is about to be made.
CREATE FUNCTION replace_invitations(p_email text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    replaced integer;
BEGIN
    IF NOT current_user_can('people.invite') THEN
        RAISE EXCEPTION 'not without the right to invite' USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- Two who invite the same address at once take turns: of both invitations the later one is left.
    PERFORM pg_advisory_xact_lock(hashtext('rxchat invitation ' || email_key(p_email)));
    DELETE FROM public.account_token AS link
     WHERE link.kind = 'invitation' AND link.used_at IS NULL AND email_key(link.email) = email_key(p_email);
    GET DIAGNOSTICS replaced = ROW_COUNT;
    RETURN replaced;
END $$;
