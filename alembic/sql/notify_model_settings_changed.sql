-- Notify all processes that what administrators set for models has changed.
CREATE FUNCTION notify_model_settings_changed() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    PERFORM pg_notify('rxchat', 'model_settings changed');
    RETURN NULL;
END $$;
