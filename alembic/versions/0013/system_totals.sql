-- Count what is stored and what waits, in the whole installation, for an administrator.
CREATE FUNCTION system_totals() RETURNS TABLE (
    users bigint, active_users bigint, conversations bigint, messages bigint, documents bigint, files bigint, file_bytes bigint,
    database_bytes bigint, answers_waiting bigint, answers_running bigint, oldest_waiting timestamptz, postgres text, pgvector text
)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF NOT current_user_can('system.read') THEN
        RAISE EXCEPTION 'not without the right' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN QUERY
    SELECT (SELECT count(*) FROM public.user_account),
           (SELECT count(DISTINCT session.user_id) FROM public.user_session AS session
             WHERE session.last_seen_at > now() - interval '7 days'),
           (SELECT count(*) FROM public.conversation WHERE deleted_at IS NULL),
           (SELECT count(*) FROM public.message),
           (SELECT count(*) FROM public.document),
           (SELECT count(*) FROM public.stored_file WHERE stored_at IS NOT NULL),
           (SELECT coalesce(sum(size_bytes), 0)::bigint FROM public.stored_file WHERE stored_at IS NOT NULL),
           pg_database_size(current_database()),
           (SELECT count(*) FROM public.run WHERE state = 'queued'),
           (SELECT count(*) FROM public.run WHERE state = 'running'),
           (SELECT min(created_at) FROM public.run WHERE state = 'queued'),
           current_setting('server_version'),
           (SELECT extversion::text FROM pg_extension WHERE extname = 'vector');
END $$;
