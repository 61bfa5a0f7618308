-- Notify open pages that a assistant has changed: those of its owner, and all if it is shared.
CREATE FUNCTION notify_assistants_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE changed public.assistant := coalesce(NEW, OLD);
BEGIN
    IF EXISTS (SELECT FROM public.access_grant WHERE resource_kind = 'assistant' AND resource = changed.id::text) THEN
        PERFORM pg_notify('rxchat', 'assistants');
    ELSE
        PERFORM pg_notify('rxchat', 'assistants ' || changed.owner_id);
    END IF;
    RETURN NULL;
END $$;
