-- Notify open pages that documents of a collection have changed.
CREATE FUNCTION notify_documents_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE changed public.document := coalesce(NEW, OLD);
BEGIN
    PERFORM pg_notify('rxchat', 'documents ' || changed.owner_id || ' ' || changed.collection_id);
    RETURN NULL;
END $$;
