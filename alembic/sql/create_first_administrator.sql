-- Create the first account, as an administrator. Returns false if there is an account. A lock makes this atomic.
CREATE FUNCTION create_first_administrator(p_id uuid, p_email text, p_name text, p_password_hash text)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7239002);
    IF has_accounts() THEN
        RETURN false;
    END IF;
    INSERT INTO public.user_account (id, email, name, role, password_hash)
    VALUES (p_id, p_email, p_name, 'admin', p_password_hash);
    RETURN true;
END $$;
