-- Notify all processes that cached permissions of all users are out of date.
CREATE FUNCTION notify_permissions_changed() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    PERFORM pg_notify('rxchat', 'access *');
    RETURN NULL;
END $$;
