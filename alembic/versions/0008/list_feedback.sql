-- List ratings of answers for an administrator, newest first: never the answer itself, or its question.
CREATE FUNCTION list_feedback(p_before text, p_limit integer)
RETURNS TABLE (id uuid, at text, user_name varchar, model varchar, rating text, reasons jsonb, comment text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF NOT current_user_can('feedback.read') THEN
        RAISE EXCEPTION 'not without the right' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN QUERY SELECT message.id, message.feedback ->> 'at', user_account.name, message.model,
                        message.feedback ->> 'rating', message.feedback -> 'reasons', message.feedback ->> 'comment'
                   FROM public.message JOIN public.user_account ON user_account.id = message.owner_id
                  WHERE message.feedback <> '{}' AND (p_before = '' OR message.feedback ->> 'at' < p_before)
                  ORDER BY message.feedback ->> 'at' DESC LIMIT p_limit;
END $$;
