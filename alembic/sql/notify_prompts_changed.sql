-- Notify open pages that a prompt has changed: those of its owner, and all if it is shared.
CREATE FUNCTION notify_prompts_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE changed public.prompt := coalesce(NEW, OLD);
BEGIN
    IF EXISTS (SELECT FROM public.access_grant WHERE resource_kind = 'prompt' AND resource = changed.id::text) THEN
        PERFORM pg_notify('rxchat', 'prompts');
    ELSE
        PERFORM pg_notify('rxchat', 'prompts ' || changed.owner_id);
    END IF;
    RETURN NULL;
END $$;
