-- Return whether one of these groups or roles has any grant, including grants that the current user may not see.
CREATE FUNCTION principals_have_grants(p_kind text, p_principals text[]) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT EXISTS (SELECT FROM public.access_grant WHERE principal_kind = p_kind AND principal = ANY (p_principals))
$$;
