-- The person on whose behalf this transaction acts (SET LOCAL rxchat.user_id), or NULL: then no policy lets anything through.
CREATE FUNCTION current_user_id() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, public, pg_temp
AS $$ SELECT nullif(current_setting('rxchat.user_id', true), '')::uuid $$;
