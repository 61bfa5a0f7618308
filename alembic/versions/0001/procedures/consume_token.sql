-- Record the use of a one-time token until it expires. Returns whether this is the first use.
CREATE FUNCTION consume_token(p_id uuid, p_until timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    INSERT INTO public.consumed_token (id, expires_at) VALUES (p_id, p_until) ON CONFLICT DO NOTHING;
    RETURN FOUND;
END $$;
