-- Count the conversations whose next answer is to come from each model of a provider, most first, for an administrator.
CREATE FUNCTION conversations_of_provider(p_provider varchar)
RETURNS TABLE (model varchar, conversations bigint, users bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF NOT current_user_can('models.manage') THEN
        RAISE EXCEPTION 'not without the right' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN QUERY
    SELECT conversation.model, count(*), count(DISTINCT conversation.owner_id) FROM public.conversation
     WHERE starts_with(conversation.model, p_provider || '/')
     GROUP BY conversation.model ORDER BY count(*) DESC, conversation.model;
END $$;
