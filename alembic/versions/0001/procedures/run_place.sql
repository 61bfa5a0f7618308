-- At which place of the queue one of the acting person's runs waits: 1 is the next; NULL when it does not wait.
CREATE FUNCTION run_place(p_run uuid) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT place FROM (
        SELECT owner_id, id, row_number() OVER (ORDER BY was_begun DESC, turn, created_at, id) AS place
          FROM public.waiting_run) AS line
     WHERE id = p_run AND owner_id = acting_user()
$$;
