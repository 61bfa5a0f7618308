-- At which position of the queue one of the acting person's runs waits: 1 is the next; NULL when it does not wait.
CREATE FUNCTION queue_position(p_run uuid) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT position FROM (
        SELECT owner_id, id, row_number() OVER (ORDER BY was_begun DESC, turn, created_at, id) AS position
          FROM public.waiting_run) AS line
     WHERE id = p_run AND owner_id = current_user_id()
$$;
