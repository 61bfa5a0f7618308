-- Return whether what a user asks of a model counts for a quota; of one that each user has for themselves, for that of p_holder.
CREATE FUNCTION is_of_quota(p_quota public.quota, p_holder uuid, p_user uuid, p_model varchar) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT p_quota.model IN ('', p_model)
       AND CASE WHEN p_quota.user_id IS NOT NULL THEN p_quota.user_id = p_user
                WHEN p_quota.is_each THEN p_holder = p_user
                WHEN p_quota.group_id IS NOT NULL THEN EXISTS (
                    SELECT FROM public.group_member
                     WHERE group_member.group_id = p_quota.group_id AND group_member.user_id = p_user)
                ELSE true END
$$;
