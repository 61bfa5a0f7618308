-- Delete the accounts whose grace period is over, each with an audit event, and expired tokens, sessions and counters.
CREATE FUNCTION purge_accounts() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    leaving uuid;
    receipt jsonb;
    swept integer := 0;
BEGIN
    DELETE FROM public.consumed_token WHERE expires_at < now();
    DELETE FROM public.rate_limit WHERE updated_at < now() - interval '1 day';
    DELETE FROM public.account_token WHERE expires_at < now() - interval '30 days';
    DELETE FROM public.user_session WHERE coalesce(ended_at, expires_at) < now() - interval '90 days';
    FOR leaving IN SELECT id FROM public.user_account WHERE deletion_at < now() FOR UPDATE SKIP LOCKED LOOP
        SELECT jsonb_build_object('user', leaving,
                                  'conversations', (SELECT count(*) FROM public.conversation WHERE owner_id = leaving),
                                  'messages', (SELECT count(*) FROM public.message WHERE owner_id = leaving)) INTO receipt;
        DELETE FROM public.access_grant
         WHERE (principal_kind = 'user' AND principal = leaving::text)
            OR (resource_kind = 'conversation'
                AND resource IN (SELECT id::text FROM public.conversation WHERE owner_id = leaving));
        DELETE FROM public.user_account WHERE id = leaving;
        PERFORM append_audit_entry(gen_random_uuid(), NULL, 'account_deleted', '', '', receipt);
        swept := swept + 1;
    END LOOP;
    -- Last, since claim_job waits for these locks.
    DELETE FROM public.queue_claim WHERE claimed_at < now() - interval '1 hour';
    RETURN swept;
END $$;
