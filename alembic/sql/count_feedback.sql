-- Count ratings of answers by model for an administrator.
CREATE FUNCTION count_feedback() RETURNS TABLE (model varchar, good bigint, bad bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF NOT current_user_can('feedback.read') THEN
        RAISE EXCEPTION 'not without the right' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN QUERY SELECT message.model, count(*) FILTER (WHERE message.feedback ->> 'rating' = 'good'),
                        count(*) FILTER (WHERE message.feedback ->> 'rating' = 'bad')
                   FROM public.message WHERE message.feedback <> '{}'
                  GROUP BY message.model ORDER BY count(*) DESC, message.model;
END $$;
