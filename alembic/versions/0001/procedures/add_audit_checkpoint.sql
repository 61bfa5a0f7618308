-- Store a signature over the audit log up to one row. Returns false if that row has another hash, or is signed already.
CREATE FUNCTION add_audit_checkpoint(
    p_seq bigint, p_hash bytea, p_signed_at timestamptz, p_key_id text, p_signature bytea
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    INSERT INTO public.audit_checkpoint (seq, hash, signed_at, key_id, signature)
    SELECT p_seq, p_hash, p_signed_at, p_key_id, p_signature
      FROM public.audit_event WHERE seq = p_seq AND hash = p_hash
    ON CONFLICT DO NOTHING;
    RETURN FOUND;
END $$;
