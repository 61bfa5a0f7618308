-- What the spellings of an e-mail address have in common that are compared as one: rxchat.domain.email_addresses.email_key
-- does the same. Only ASCII letters before the @ are the same in both cases: others belong to other mailboxes.
CREATE FUNCTION email_key(p_email text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT translate(coalesce(substring(p_email FROM '^(.*@)'), ''), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')
           -- In some collations lower() makes a plain i of a capital I with a dot, which is another domain.
           || lower(replace(substring(p_email FROM '[^@]*$'), chr(304), 'i' || chr(775)))
$$;
