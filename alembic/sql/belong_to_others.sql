-- Return whether one of these is the id of a conversation, collection or document of another user. For the audit log: a link that
-- is wrong is no attempt to read what belongs to someone else.
CREATE FUNCTION belong_to_others(p_ids uuid[]) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT EXISTS (SELECT FROM public.conversation WHERE id = ANY (p_ids) AND owner_id IS DISTINCT FROM current_user_id())
        OR EXISTS (SELECT FROM public.collection WHERE id = ANY (p_ids) AND owner_id IS DISTINCT FROM current_user_id())
        OR EXISTS (SELECT FROM public.document WHERE id = ANY (p_ids) AND owner_id IS DISTINCT FROM current_user_id())
$$;
