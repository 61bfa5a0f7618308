-- Notify all processes that the providers of models have changed.
CREATE FUNCTION notify_providers_changed() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    PERFORM pg_notify('rxchat', 'providers changed');
    RETURN NULL;
END $$;
