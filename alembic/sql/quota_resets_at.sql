-- Return when the period that contains this moment ends.
CREATE FUNCTION quota_resets_at(p_period varchar) RETURNS timestamptz
LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp
AS $$ SELECT (quota_period_start(p_period) + ('1 ' || p_period)::interval) AT TIME ZONE 'UTC' $$;
