-- Forgets pieces that are gone from the store.
CREATE FUNCTION ack_object_deletions(p_keys text[]) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    DELETE FROM public.object_deletion WHERE object_key = ANY (p_keys)
$$;
