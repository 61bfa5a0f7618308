-- Whether anybody has an account yet; asked before anyone can be signed in.
CREATE FUNCTION has_accounts() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$ SELECT EXISTS (SELECT FROM public.user_account) $$;
