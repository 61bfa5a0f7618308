-- Mark an account token as used and return it. Of simultaneous callers, one gets it.
CREATE FUNCTION consume_account_token(p_kind text, p_hash bytea)
RETURNS TABLE (id uuid, user_id uuid, email varchar, role varchar, group_ids varchar[], is_mailed boolean, created_by uuid)
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    UPDATE public.account_token SET used_at = now()
     WHERE kind = p_kind AND hash = p_hash AND account_token_is_valid(account_token)
    RETURNING id, user_id, email, role, group_ids, is_mailed, created_by
$$;
