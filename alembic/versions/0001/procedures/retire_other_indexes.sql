-- Retire indexes that are being built for models that are no longer wanted, if the given one is active.
CREATE FUNCTION retire_other_indexes(p_index integer) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('rxchat embedding index'));
    IF NOT EXISTS (SELECT FROM public.embedding_index WHERE id = p_index AND state = 'active') THEN
        RETURN false;
    END IF;
    UPDATE public.embedding_index SET state = 'retired' WHERE state = 'building';
    RETURN FOUND;
END $$;
