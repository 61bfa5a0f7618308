-- Return permissions without the administrative ones: rxchat.domain.permissions.ADMINISTRATIVE.
CREATE FUNCTION without_administrative_permissions(p_permissions varchar[]) RETURNS varchar[]
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT ARRAY(
        SELECT name FROM unnest(p_permissions) AS name
         WHERE split_part(name, '.', 1) NOT IN ('users', 'groups', 'roles', 'grants', 'settings', 'audit', 'feedback', 'system')
           AND name NOT IN ('conversations.read_any', 'models.manage'))
$$;
