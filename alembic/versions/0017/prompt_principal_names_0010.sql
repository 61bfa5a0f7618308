-- Return the names of those with whom the current user has shared a prompt. Of a user they share no group with, and who has
-- shared nothing with them, this is the e-mail address that they entered.
CREATE FUNCTION prompt_principal_names(p_prompt uuid) RETURNS TABLE (principal varchar, name varchar)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT access_grant.principal, coalesce(
               CASE WHEN EXISTS (
                        SELECT FROM public.group_member AS mine JOIN public.group_member AS theirs USING (group_id)
                         WHERE mine.user_id = current_user_id() AND theirs.user_id = account.id)
                      OR EXISTS (
                        SELECT FROM public.access_grant AS back
                         WHERE back.created_by = account.id AND back.principal_kind = 'user'
                           AND back.principal = current_user_id()::text)
                    THEN account.name ELSE account.email END,
               team.name, access_grant.principal)
      FROM public.access_grant
      LEFT JOIN public.user_account AS account ON access_grant.principal_kind = 'user' AND account.id::text = access_grant.principal
      LEFT JOIN public.user_group AS team ON access_grant.principal_kind = 'group' AND team.id::text = access_grant.principal
     WHERE access_grant.resource_kind = 'prompt' AND access_grant.resource = p_prompt::text
       AND EXISTS (SELECT FROM public.prompt WHERE prompt.owner_id = current_user_id() AND prompt.id = p_prompt)
$$;
