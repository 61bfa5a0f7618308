-- Forgets pieces that are gone from the store.
CREATE FUNCTION forget_doomed(p_keys text[]) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    DELETE FROM public.doomed_object WHERE object_key = ANY (p_keys)
$$;
