-- Return the hash of an audit event: SHA-256 of the previous event's hash and of each field, prefixed by its length.
-- rxchat/domain/audit.py computes the same from an export.
CREATE FUNCTION audit_hash(p_row public.audit_event, p_previous bytea) RETURNS bytea
LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT sha256(p_previous || convert_to(string_agg(octet_length(field) || ':' || field, '' ORDER BY position), 'UTF8'))
      FROM unnest(ARRAY[
        p_row.seq::text, p_row.id::text, to_char(p_row.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        coalesce(p_row.actor_id::text, ''), p_row.action, p_row.address, p_row.correlation_id, p_row.data::text
      ]::text[]) WITH ORDINALITY AS fields (field, position)
$$;
