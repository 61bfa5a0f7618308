-- Delete the open invitations to an address that gets an account.
CREATE FUNCTION revoke_invitations() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    DELETE FROM public.account_token AS link
     WHERE link.kind = 'invitation' AND link.used_at IS NULL AND email_key(link.email) = email_key(NEW.email);
    RETURN NULL;
END $$;
