-- Return the current user's role.
CREATE FUNCTION current_user_role() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$ SELECT role FROM public.user_account WHERE id = current_user_id() $$;
