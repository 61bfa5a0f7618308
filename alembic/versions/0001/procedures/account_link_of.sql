-- What a link opens, while it does.
CREATE FUNCTION account_link_of(p_kind text, p_hash bytea)
RETURNS TABLE (id uuid, user_id uuid, email varchar, role varchar, group_ids varchar[], is_mailed boolean, created_by uuid)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT id, user_id, email, role, group_ids, is_mailed, created_by FROM public.account_link
     WHERE kind = p_kind AND hash = p_hash AND account_link_holds(account_link)
$$;
