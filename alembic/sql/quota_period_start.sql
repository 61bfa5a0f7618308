-- Return the first day of the period, in UTC, that contains this moment.
CREATE FUNCTION quota_period_start(p_period varchar) RETURNS date
LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp
AS $$ SELECT date_trunc(p_period, now() AT TIME ZONE 'UTC')::date $$;
