-- Activate an index if every searchable document is complete in it, and retire the previous one. Returns false otherwise.
CREATE FUNCTION activate_embedding_index(p_index integer) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('rxchat embedding index'));
    IF EXISTS (SELECT FROM public.embedding_index WHERE id = p_index AND state = 'active') THEN
        RETURN true;
    END IF;
    IF EXISTS (SELECT FROM public.document
                WHERE published_generation IS NOT NULL
                  AND (embedded_index IS NULL OR embedded_index < p_index OR embedded_index > p_index)) THEN
        RETURN false;
    END IF;
    UPDATE public.embedding_index SET state = 'retired' WHERE state = 'active';
    UPDATE public.embedding_index SET state = 'active' WHERE id = p_index;
    RETURN true;
END $$;
