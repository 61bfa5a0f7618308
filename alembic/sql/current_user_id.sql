-- Return the user that the transaction acts for (SET LOCAL rxchat.user_id), or NULL: then no policy matches.
CREATE FUNCTION current_user_id() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, public, pg_temp
AS $$ SELECT nullif(current_setting('rxchat.user_id', true), '')::uuid $$;
