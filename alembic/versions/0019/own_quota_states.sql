-- Return the limits that hold for the current user's requests to a model; NULL: to any model.
CREATE FUNCTION own_quota_states(p_model varchar)
RETURNS TABLE (
    quota_id uuid, measure text, amount numeric, used numeric, reserved numeric, resets_at timestamptz, period varchar,
    model varchar, group_name varchar, is_own boolean, is_each boolean
)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$ SELECT * FROM quota_states(current_user_id(), p_model) $$;
