-- Return what each user has asked of each model on a day (UTC), for an administrator's export.
CREATE FUNCTION usage_of_day(p_day date)
RETURNS TABLE (
    user_id uuid, user_name varchar, email varchar, groups varchar, model varchar, requests bigint, input_tokens bigint,
    output_tokens bigint, cost numeric
)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    IF NOT current_user_can('system.read') THEN
        RAISE EXCEPTION 'not without the right' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN QUERY
    SELECT used.user_id, account.name, account.email,
           coalesce((SELECT string_agg(team.name, '; ' ORDER BY team.name)
                       FROM public.group_member AS member JOIN public.user_group AS team ON team.id = member.group_id
                      WHERE member.user_id = used.user_id), '')::varchar,
           used.model, used.requests, used.input_tokens, used.output_tokens, used.cost
      FROM public.model_usage AS used JOIN public.user_account AS account ON account.id = used.user_id
     WHERE used.day = p_day ORDER BY account.name, used.user_id, used.model;
END $$;
