-- Return the user with this e-mail address, to a user who may create collections and wants to share one.
CREATE FUNCTION find_user_by_email(p_email text) RETURNS TABLE (id uuid, name varchar)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT person.id, person.name FROM public.user_account AS person
     WHERE email_key(person.email) = email_key(p_email) AND person.suspended_at IS NULL
       AND current_user_can('collections.create')
$$;
