-- Return the key by which e-mail addresses are compared; rxchat.domain.email_addresses.email_key does the same. Before the @,
-- only ASCII letters are case-insensitive: other letters belong to other mailboxes.
CREATE FUNCTION email_key(p_email text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT translate(coalesce(substring(p_email FROM '^(.*@)'), ''), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')
           -- In some collations lower() maps a capital I with a dot to a plain i, which is another domain.
           || lower(replace(substring(p_email FROM '[^@]*$'), chr(304), 'i' || chr(775)))
$$;
