-- Create an account with its groups. Returns false if the address has an account. The first account is made by
-- create_first_administrator. Roles other than member and guest need an invitation that was consumed in this transaction.
CREATE FUNCTION create_account(
    p_id uuid, p_email text, p_name text, p_role text, p_password_hash text, p_is_confirmed boolean, p_groups uuid[]
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF NOT has_accounts() THEN
        RAISE EXCEPTION 'the first account is an administrator''s' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF (p_role NOT IN ('member', 'guest') OR p_groups <> '{}') AND NOT EXISTS (
        SELECT FROM public.account_token
         WHERE kind = 'invitation' AND used_at = now() AND email_key(email) = email_key(p_email) AND role = p_role
           AND p_groups <@ group_ids::uuid[])
    THEN
        RAISE EXCEPTION 'no invitation to this' USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- A role may have got grants since the invitation: the inviter must still be allowed to give them.
    IF EXISTS (SELECT FROM public.role WHERE name = p_role AND NOT is_builtin)
       AND principals_have_grants('role', ARRAY[p_role])
       AND NOT EXISTS (
            SELECT FROM public.account_token
              JOIN public.user_account AS inviter ON inviter.id = account_token.created_by
              JOIN public.role ON role.name = inviter.role
             WHERE account_token.kind = 'invitation' AND account_token.used_at = now()
               AND email_key(account_token.email) = email_key(p_email) AND 'grants.manage' = ANY (role.permissions))
    THEN
        RAISE EXCEPTION 'this role was given more since the invitation' USING ERRCODE = 'insufficient_privilege';
    END IF;
    INSERT INTO public.user_account (id, email, name, role, password_hash, email_confirmed_at)
    VALUES (p_id, p_email, p_name, p_role, p_password_hash, CASE WHEN p_is_confirmed THEN now() END)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    -- A group may have got grants since the invitation: the inviter must still be allowed to give them.
    INSERT INTO public.group_member (user_id, group_id)
    SELECT p_id, user_group.id FROM public.user_group
     WHERE user_group.id = ANY (p_groups)
       AND (NOT principals_have_grants('group', ARRAY[user_group.id::text])
            OR EXISTS (
                SELECT FROM public.account_token
                  JOIN public.user_account AS inviter ON inviter.id = account_token.created_by
                  JOIN public.role ON role.name = inviter.role
                 WHERE account_token.kind = 'invitation' AND account_token.used_at = now()
                   AND email_key(account_token.email) = email_key(p_email) AND 'grants.manage' = ANY (role.permissions)));
    RETURN true;
END $$;
