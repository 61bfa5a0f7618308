-- Return the names of the users who have changed a prompt, to its owner and to those who may change it, too.
CREATE FUNCTION prompt_authors(p_prompt uuid) RETURNS TABLE (user_id uuid, name varchar)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT account.id, account.name FROM public.user_account AS account
     WHERE account.id IN (SELECT changed_by FROM public.prompt_version WHERE prompt_version.prompt_id = p_prompt)
       AND (EXISTS (SELECT FROM public.prompt WHERE prompt.owner_id = current_user_id() AND prompt.id = p_prompt)
            OR p_prompt = ANY (granted_prompts('{write}')))
$$;
