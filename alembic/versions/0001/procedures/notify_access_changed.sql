-- Notify all processes that cached permissions of one user are out of date.
CREATE FUNCTION notify_access_changed() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    changed jsonb := to_jsonb(CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END);
BEGIN
    PERFORM pg_notify('rxchat', 'access ' || coalesce(changed ->> 'user_id', changed ->> 'id'));
    RETURN NULL;
END $$;
