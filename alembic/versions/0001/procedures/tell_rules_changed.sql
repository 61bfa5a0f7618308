-- Tells every process that what it remembers of anybody's access is old.
CREATE FUNCTION tell_rules_changed() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    PERFORM pg_notify('rxchat', 'access *');
    RETURN NULL;
END $$;
