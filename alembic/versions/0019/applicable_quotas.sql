-- Return the quotas that hold for a user's requests to a model; NULL: to any model.
CREATE FUNCTION applicable_quotas(p_user uuid, p_model varchar) RETURNS SETOF public.quota
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT quota.* FROM public.quota
     WHERE (p_model IS NULL OR quota.model IN ('', p_model))
       AND CASE WHEN quota.user_id IS NOT NULL THEN quota.user_id = p_user
                WHEN quota.group_id IS NOT NULL THEN EXISTS (
                    SELECT FROM public.group_member
                     WHERE group_member.group_id = quota.group_id AND group_member.user_id = p_user)
                ELSE true END
$$;
