-- Tells every process that what it remembers of anybody's access is old.
CREATE FUNCTION notify_permissions_changed() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    PERFORM pg_notify('rxchat', 'access *');
    RETURN NULL;
END $$;
