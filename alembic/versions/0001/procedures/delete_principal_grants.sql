-- Delete the grants of a deleted user, group or role, so that a new one of the same name does not get them.
CREATE FUNCTION delete_principal_grants() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    gone jsonb := to_jsonb(OLD);
BEGIN
    DELETE FROM public.access_grant
     WHERE principal_kind = TG_ARGV[0] AND principal = coalesce(gone ->> 'id', gone ->> 'name');
    RETURN NULL;
END $$;
