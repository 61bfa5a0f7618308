-- Return the names of the users who have changed a assistant, to its owner and to those who may change it, too.
CREATE FUNCTION assistant_authors(p_assistant uuid) RETURNS TABLE (user_id uuid, name varchar)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT account.id, account.name FROM public.user_account AS account
     WHERE account.id IN (SELECT changed_by FROM public.assistant_version WHERE assistant_version.assistant_id = p_assistant)
       AND (EXISTS (SELECT FROM public.assistant WHERE assistant.owner_id = current_user_id() AND assistant.id = p_assistant)
            OR p_assistant = ANY (granted_assistants('{write}')))
$$;
